"""A number with a slider, a text field and a default."""

from __future__ import annotations

from typing import Any, Optional

from f2hdr_backend.panel.basic_widgets import label
from f2hdr_backend.panel.qt import Qt, QtCore, QtWidgets, Signal

_STEPS = 1000


class NumberSlider(QtWidgets.QWidget):
    """A named number within a range. ``changed`` is emitted for every change, also by code."""

    changed = Signal(float)

    def __init__(
        self, name: str, ends: tuple[float, float], default: float, step: float, parent: Optional[Any] = None
    ) -> None:
        super().__init__(parent)
        self._default, self._ends = default, ends
        self._field = QtWidgets.QDoubleSpinBox()
        self._field.setRange(*ends)
        self._field.setSingleStep(step)
        self._field.setDecimals(2)
        self._field.setKeyboardTracking(False)
        self._field.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self._field.setFixedWidth(58)
        self._field.setAccessibleName(name)
        self._field.setValue(default)
        self._slider = QtWidgets.QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _STEPS)
        self._slider.setAccessibleName(f"{name} slider")
        self._slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._slider.installEventFilter(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label(name, "dim"))
        layout.addWidget(self._field)
        layout.addWidget(self._slider, 1)
        self._slide_to(default)
        self._slider.valueChanged.connect(self._slid)
        self._field.valueChanged.connect(self._entered)

    @property
    def value(self) -> float:
        """The value."""
        return float(self._field.value())

    def set_value(self, value: float) -> None:
        """Set the value."""
        self._field.setValue(value)

    def reset(self) -> None:
        """Reset to the default."""
        self._field.setValue(self._default)

    def set_help(self, text: str) -> None:
        """Set the tool tip."""
        self.setToolTip(text)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Reset on a double click on the slider."""
        if event.type() == QtCore.QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return bool(super().eventFilter(watched, event))

    def _slide_to(self, value: float) -> None:
        low, high = self._ends
        self._slider.blockSignals(True)
        self._slider.setValue(round((value - low) / (high - low) * _STEPS))
        self._slider.blockSignals(False)

    def _slid(self, place: int) -> None:
        low, high = self._ends
        self._field.setValue(round(low + place / _STEPS * (high - low), 2))

    def _entered(self, value: float) -> None:
        self._slide_to(value)
        self.changed.emit(value)
