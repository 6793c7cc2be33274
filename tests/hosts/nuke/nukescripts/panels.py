"""Docked widgets: as in Nuke, the registered text is evaluated when the user opens the panel."""

from __future__ import annotations

from typing import Any

from nuke.session import session

registered: dict[str, tuple[str, str]] = {}
"""Title and the text of the widget's class, by identifier."""


class WidgetKnob:
    """Makes the widget when Nuke draws the panel."""

    def __init__(self, widget: Any) -> None:
        self.widgetClass = widget

    def makeUI(self) -> Any:
        self.widget = self.widgetClass()
        return self.widget


def registerWidgetAsPanel(widget: str, name: str, id: str, create: bool = False) -> None:
    session.require_main("registerWidgetAsPanel")
    assert isinstance(widget, str)
    registered[id] = (name, widget)


def open_panel(id: str) -> Any:
    """What choosing it in the menu of panes does; returns the widget."""
    _, widget = registered[id]
    return eval(f"__import__('nukescripts').panels.WidgetKnob({widget})").makeUI()
