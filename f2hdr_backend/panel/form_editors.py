"""The widgets of the Shot form: one editor for each kind of field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from f2hdr_backend.panel.basic_widgets import Wrapped, check_box
from f2hdr_backend.panel.form_fields import FormField
from f2hdr_backend.panel.qt import Qt, QtWidgets


class Editor:
    """One field's widget, with an error message below it."""

    def __init__(self, field: FormField, widget: Any) -> None:
        self.field = field
        self.widget = widget
        self.problem = ""
        self.error = Wrapped("", "wrong")
        self.place_error: Callable[[], object] = lambda: None
        """Adds ``error`` below the widget when it is first shown, because a hidden row of a form takes space in Qt
        5.
        """
        self._is_placed = False

    def show_value(self, value: Any) -> None:
        """Show a value without emitting an edit."""

    def show_found(self, text: str) -> None:
        """Show the value that is used if the field is empty."""

    def offer(self, names: list[str]) -> None:
        """Set suggestions."""

    def show_problem(self, text: str) -> None:
        """Show an error, or none if the text is empty."""
        self.problem = text
        if text and not self._is_placed:
            self.place_error()
            self._is_placed = True
        self.error.setText(text)
        self.error.setVisible(bool(text))
        self.widget.setProperty("wrong", bool(text))
        style = self.widget.style()
        style.unpolish(self.widget)
        style.polish(self.widget)


class _TextEditor(Editor):
    def __init__(self, field: FormField, edited: Callable[[Any], None]) -> None:
        super().__init__(field, QtWidgets.QLineEdit())
        self.widget.editingFinished.connect(lambda: self._take(edited))

    def _take(self, edited: Callable[[Any], None]) -> None:
        if self.widget.isModified():
            self.widget.setModified(False)
            edited(self.widget.text())

    def show_value(self, value: Any) -> None:
        if not self.problem and not self.widget.isModified():
            self.widget.setText(self.field.text(value))

    def show_found(self, text: str) -> None:
        self.widget.setPlaceholderText(_in_place(text or self.field.unit))


class _ChoiceEditor(Editor):
    """Fixed choices."""

    def __init__(self, field: FormField, edited: Callable[[Any], None]) -> None:
        super().__init__(field, _still_combo())
        for choice in field.choices:
            self.widget.addItem(str(choice), choice)
        self.widget.currentIndexChanged.connect(lambda _: edited(self.widget.currentData()))

    def show_value(self, value: Any) -> None:
        self.widget.blockSignals(True)
        self.widget.setCurrentIndex(self.field.choices.index(value) if value in self.field.choices else -1)
        self.widget.blockSignals(False)


class _OfferEditor(Editor):
    """Free text, with suggestions."""

    def __init__(self, field: FormField, edited: Callable[[Any], None]) -> None:
        super().__init__(field, _still_combo())
        self.widget.setEditable(True)
        self.widget.setInsertPolicy(QtWidgets.QComboBox.InsertPolicy.NoInsert)
        self._shown = ""
        self.offer([str(field.default)] if field.default not in (None, "") else [])
        self.widget.lineEdit().editingFinished.connect(lambda: self._take(edited))
        self.widget.activated.connect(lambda _: self._take(edited))

    def _take(self, edited: Callable[[Any], None]) -> None:
        if self.widget.currentText() != self._shown:
            self._shown = self.widget.currentText()
            edited(self.widget.currentText())

    def show_value(self, value: Any) -> None:
        if not self.problem:
            self._shown = self.field.text(value)
            self.widget.setEditText(self._shown)

    def show_found(self, text: str) -> None:
        self.widget.lineEdit().setPlaceholderText(_in_place(text))

    def offer(self, names: list[str]) -> None:
        self.widget.blockSignals(True)
        self.widget.clear()
        default = [str(self.field.default)] if self.field.default not in (None, "") else []
        self.widget.addItems(list(dict.fromkeys([*default, *names])))
        self.widget.setEditText(self._shown)
        self.widget.blockSignals(False)


class _SetEditor(Editor):
    """Any subset of fixed choices."""

    def __init__(self, field: FormField, edited: Callable[[Any], None]) -> None:
        super().__init__(field, QtWidgets.QWidget())
        layout = QtWidgets.QGridLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        self._boxes = {choice: check_box(str(choice)) for choice in field.choices}
        for index, (choice, box) in enumerate(self._boxes.items()):
            box.setAccessibleName(f"{field.label}: {choice}")
            box.toggled.connect(lambda _: edited(tuple(name for name, one in self._boxes.items() if one.isChecked())))
            layout.addWidget(box, index // 2, index % 2)

    def show_value(self, value: Any) -> None:
        for choice, box in self._boxes.items():
            box.blockSignals(True)
            box.setChecked(choice in (value or ()))
            box.blockSignals(False)


class _FlagEditor(Editor):
    def __init__(self, field: FormField, edited: Callable[[Any], None]) -> None:
        super().__init__(field, check_box())
        self.widget.toggled.connect(edited)

    def show_value(self, value: Any) -> None:
        self.widget.blockSignals(True)
        self.widget.setChecked(bool(value))
        self.widget.blockSignals(False)


_OFFERED = ("color.input_space", "color.output_space", "color.config", "engine.weights", "engine.flow", "engine.device")


def editor_for(field: FormField, edited: Callable[[Any], None]) -> Editor:
    """Return the editor of a field; ``edited`` receives the entered value."""
    if field.choices:
        return (_SetEditor if field.kind is tuple else _ChoiceEditor)(field, edited)
    if field.kind is bool:
        return _FlagEditor(field, edited)
    return (_OfferEditor if field.path in _OFFERED else _TextEditor)(field, edited)


def _still_combo() -> Any:
    """A menu that ignores the mouse wheel, so that scrolling the form does not change it."""
    combo = _StillCombo()
    combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    return combo


class _StillCombo(QtWidgets.QComboBox):
    def wheelEvent(self, event: Any) -> None:
        event.ignore()


def _in_place(text: str) -> str:
    """Return the placeholder of an empty field; in parentheses, because Qt 5 shows it in the color of entered text."""
    return f"({text})" if text else ""
