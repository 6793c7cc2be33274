"""The Shot as a form, generated from the Shot's fields with their help, units and choices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

from f2hdr_backend.panel.basic_widgets import label
from f2hdr_backend.panel.form_editors import Editor, editor_for
from f2hdr_backend.panel.form_fields import FormField, form_fields
from f2hdr_backend.panel.qt import Qt, QtWidgets
from f2hdr_backend.panel.shot_model import ShotModel
from f2hdr_backend.shot.document import Shot
from f2hdr_backend.shot.errors import F2HDRError
from f2hdr_backend.shot.exposure import ExposurePattern

TITLES = {"": "Plate", "color": "Color", "engine": "Engine", "output": "Output"}
SEPARATE = "engine.quality"
"""The field whose widget is not in the form: it is shown with the estimated time, which depends on it."""
_LABEL_WIDTH = 132


class ShotForm(QtWidgets.QScrollArea):
    """Edits the model's Shot. Invalid values are marked at their field and not applied."""

    def __init__(self, model: ShotModel, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self._model = model
        self._editors: dict[str, Editor] = {}
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Shot settings")
        inside = QtWidgets.QWidget()
        inside.setObjectName("pane")
        layout = QtWidgets.QVBoxLayout(inside)
        layout.setContentsMargins(10, 6, 10, 10)
        groups: dict[str, Any] = {}
        for field in form_fields():
            if field.path == SEPARATE:
                self.separate = self._widgets(field)
                continue
            if field.part not in groups:
                groups[field.part] = self._group(TITLES.get(field.part, field.part.capitalize()), layout)
            self._add(field, groups[field.part])
        layout.addStretch(1)
        self.setWidget(inside)
        model.changed.connect(self.show_shot)
        model.detected.connect(self.show_shot)
        self.show_shot()

    def offer(self, path: str, names: list[str]) -> None:
        """Set suggestions for a text field, such as the color spaces of the config."""
        if path in self._editors:
            self._editors[path].offer(names)

    def editor(self, path: str) -> Any:
        """Return the widget of a field, such as ``engine.method``."""
        return self._editors[path].widget

    def problems(self) -> list[str]:
        """Return the errors in the form, one sentence per field."""
        return [editor.problem for editor in self._editors.values() if editor.problem]

    def show_shot(self) -> None:
        """Show the model's Shot, and the detected values of empty fields."""
        shot = self._model.shot
        self.setEnabled(shot is not None)
        self._editors[SEPARATE].widget.setEnabled(shot is not None)
        for path, editor in self._editors.items():
            editor.show_value(None if shot is None else editor.field.of(shot))
            editor.show_found(self._found(path))

    def _found(self, path: str) -> str:
        """Return the value that is used if a field is empty."""
        found = self._model
        if path == "exposures":
            pattern = found.detected_pattern
            return "detected from the plate" if pattern is None else f"{_cycle(pattern)}, detected"
        if path == "cuts":
            cuts = found.detection.get("cuts")
            return "detected from the plate" if cuts is None else f"{', '.join(map(str, cuts)) or 'none'}, detected"
        if path == "color.clip_level":
            levels = ", ".join(f"{level:g}" for level in found.clip_level)
            return f"{levels}, found" if found.is_clip_found else "detected from the plate"
        return {"frames": "the whole plate", "engine.memory": "free memory"}.get(path, "")

    def _group(self, title: str, layout: Any) -> Any:
        box = QtWidgets.QGroupBox(title)
        box.setAccessibleName(title)
        form = QtWidgets.QFormLayout(box)
        form.setContentsMargins(0, 4, 0, 2)
        form.setHorizontalSpacing(10)
        form.setVerticalSpacing(6)
        form.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(box)
        return form

    def _add(self, field: FormField, form: Any) -> None:
        name, widget = self._widgets(field)
        name.setMinimumWidth(_LABEL_WIDTH)
        form.addRow(name, widget)
        editor = self._editors[field.path]
        editor.place_error = lambda: form.insertRow(form.getWidgetPosition(widget)[0] + 1, editor.error)

    def _widgets(self, field: FormField) -> tuple[Any, Any]:
        """Return a field's label and the widget that edits it."""
        editor = self._editors[field.path] = editor_for(field, lambda value: self._edited(field, value))
        name = label(field.label, "dim")
        name.setToolTip(_tip(field))
        name.setBuddy(editor.widget)
        editor.widget.setToolTip(_tip(field))
        editor.widget.setAccessibleName(field.label)
        editor.widget.setAccessibleDescription(field.help)
        return name, editor.widget

    def _edited(self, field: FormField, value: Any) -> None:
        """Apply a value that a user entered; ``value`` is text for text fields."""
        shot = self._model.shot
        if shot is None:
            return
        editor = self._editors[field.path]
        try:
            changed = self._with(shot, field, value)
        except F2HDRError as error:
            editor.show_problem(str(error))
            return
        editor.show_problem("")
        self._model.put(changed)

    def _with(self, shot: Shot, field: FormField, value: Any) -> Shot:
        """Return the Shot with an entered value. Raises F2HDRError if it is invalid."""
        if field.kind is not ExposurePattern:
            return field.put(shot, field.parse(value) if isinstance(value, str) else value)
        if not value.strip():
            return replace(shot, exposures=None)
        cycle, known = ExposurePattern.parse_steps(value.replace(" ", "")), self._model.exposures
        if known is not None and len(known.cycle) == len(cycle):
            return replace(shot, exposures=replace(known, cycle=cycle))
        first = self._model.first_frame
        if first is None:
            first = 1 if shot.frames is None else shot.frames.first
        return replace(shot, exposures=ExposurePattern(cycle, first))


def _tip(field: FormField) -> str:
    unit = f"\nUnit: {field.unit}" if field.unit else ""
    default = "" if field.default in (None, "", ()) else f"\nDefault: {field.text(field.default)}"
    return f"<qt>{field.help}</qt>" if not unit + default else f"{field.help}{unit}{default}"


def _cycle(pattern: ExposurePattern) -> str:
    return ", ".join(f"{ev:+g}" if ev else "0" for ev in pattern.cycle)
