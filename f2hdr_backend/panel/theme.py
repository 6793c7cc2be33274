"""Colors and style sheet: neutral grays, so that the surround does not affect the perceived color of a picture."""

from __future__ import annotations

from typing import Any

from f2hdr_backend.panel.qt import QtGui

WINDOW, PANE, RAISED, FIELD = "#292929", "#303030", "#3c3c3c", "#212121"
CANVAS = "#1b1b1b"
INK, DIM, FAINT, EDGE = "#dedede", "#9c9c9c", "#6d6d6d", "#1a1a1a"
ACCENT, WARNING, ERROR = "#5db08a", "#e6b450", "#ef6b60"
SHORT, LONG = "#5ca8ff", "#ffb03b"
PLACES = (SHORT, LONG, "#7ed378", "#e27ccc", "#8be0e0")
"""Colors of the exposures of a cycle, shortest to longest: the two extremes, then those in between."""

STYLE = f"""
* {{ color: {INK}; font-size: 12px; }}
QMainWindow, QDialog, QDockWidget, QWidget#workspace {{ background: {WINDOW}; }}
QMainWindow::separator {{ background: {EDGE}; width: 3px; height: 3px; }}
QDockWidget::title {{ background: {PANE}; padding: 6px 8px; border-bottom: 1px solid {EDGE}; }}
QWidget#pane, QScrollArea, QScrollArea > QWidget > QWidget {{ background: {PANE}; border: 0; }}
QToolTip {{ background: {FIELD}; color: {INK}; border: 1px solid {FAINT}; padding: 4px; }}
QPushButton, QToolButton {{ background: {RAISED}; border: 1px solid {EDGE}; border-radius: 3px; padding: 4px 9px; }}
QPushButton:hover, QToolButton:hover {{ background: #484848; }}
QPushButton:pressed, QToolButton:pressed {{ background: {FIELD}; }}
QPushButton:checked, QToolButton:checked {{ background: #55605a; border-color: {ACCENT}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {FAINT}; background: {PANE}; }}
QPushButton#primary {{ background: #3d6b57; border-color: #2b4b3d; }}
QPushButton#primary:hover {{ background: #477c65; }}
QPushButton#primary:disabled {{ background: {PANE}; color: {FAINT}; }}
QLineEdit, QComboBox, QPlainTextEdit {{
    background: {FIELD}; border: 1px solid {EDGE}; border-radius: 3px; padding: 3px 6px;
    selection-background-color: #47705e;
}}
QLineEdit:focus, QComboBox:focus {{ border-color: {ACCENT}; }}
QLineEdit[wrong="true"], QComboBox[wrong="true"] {{ border-color: {ERROR}; }}
QComboBox QAbstractItemView {{ background: {FIELD}; selection-background-color: #47705e; border: 1px solid {FAINT}; }}
QComboBox::drop-down {{ border: 0; width: 18px; }}
QComboBox::down-arrow {{
    width: 0; height: 0; margin-right: 5px;
    border-left: 4px solid {FIELD}; border-right: 4px solid {FIELD}; border-top: 5px solid {DIM};
}}
QComboBox:disabled, QLineEdit:disabled, QAbstractSpinBox:disabled {{ color: {FAINT}; }}
QCheckBox {{ spacing: 6px; }}
QCheckBox:disabled, QLabel:disabled {{ color: {FAINT}; }}
QSlider::handle:horizontal:disabled {{ background: {FAINT}; }}
QGroupBox {{ border: 0; border-top: 1px solid {RAISED}; margin-top: 16px; padding-top: 8px; font-weight: bold; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 0; padding: 0 6px 0 0; color: {DIM}; }}
QLabel#dim {{ color: {DIM}; }}
QLabel#wrong {{ color: {ERROR}; }}
QLabel#warning {{ color: {WARNING}; }}
QLabel#title {{ font-size: 13px; font-weight: bold; }}
QLabel#mono {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 11px; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ background: {WINDOW}; padding: 6px 14px; border: 0; border-right: 1px solid {EDGE}; color: {DIM}; }}
QTabBar::tab:selected {{ background: {PANE}; color: {INK}; border-top: 2px solid {ACCENT}; }}
QTableWidget {{ background: {FIELD}; border: 0; gridline-color: {PANE}; selection-background-color: #3b4a43; }}
QHeaderView::section {{ background: {PANE}; color: {DIM}; border: 0; padding: 5px 3px; font-weight: normal; }}
QTableCornerButton::section {{ background: {PANE}; border: 0; }}
QProgressBar {{ background: {FIELD}; border: 1px solid {EDGE}; border-radius: 2px; height: 12px; text-align: center; }}
QProgressBar::chunk {{ background: #47705e; }}
QSlider::groove:horizontal {{ height: 3px; background: {FIELD}; border-radius: 1px; }}
QSlider::handle:horizontal {{ background: {DIM}; width: 9px; margin: -6px 0; border-radius: 2px; }}
QSlider::handle:horizontal:hover {{ background: {INK}; }}
QScrollBar:vertical {{ background: {PANE}; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {FAINT}; border-radius: 4px; min-height: 24px; margin: 1px 2px; }}
QScrollBar:horizontal {{ background: {PANE}; height: 10px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {FAINT}; border-radius: 4px; min-width: 24px; margin: 2px 1px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QMenu {{ background: {FIELD}; border: 1px solid {FAINT}; padding: 4px 0; }}
QMenu::item {{ padding: 5px 22px; }}
QMenu::item:selected {{ background: #47705e; }}
QMenu::item:disabled {{ color: {FAINT}; }}
QMenu::separator {{ height: 1px; background: {RAISED}; margin: 4px 0; }}
QMenuBar {{ background: {WINDOW}; }}
QMenuBar::item:selected {{ background: {RAISED}; }}
"""


def dark_palette() -> Any:
    """Return the palette for what the style sheet does not set; a host's own palette may be light."""
    palette = QtGui.QPalette()
    roles = QtGui.QPalette.ColorRole
    for role, color in (
        (roles.Window, WINDOW), (roles.WindowText, INK), (roles.Base, FIELD), (roles.AlternateBase, PANE),
        (roles.Text, INK), (roles.Button, RAISED), (roles.ButtonText, INK), (roles.ToolTipBase, FIELD),
        (roles.ToolTipText, INK),
        (roles.Light, "#8a8a8a"), (roles.Mid, FAINT), (roles.Highlight, "#47705e"), (roles.HighlightedText, INK),
    ):  # fmt: skip
        palette.setColor(role, QtGui.QColor(color))
    palette.setColor(roles.PlaceholderText, QtGui.QColor(FAINT))
    return palette


def place_colors(levels: list[float]) -> dict[float, str]:
    """Return a color for each exposure of a cycle: blue for the shortest, amber for the longest, others in between."""
    ordered = sorted(set(levels))
    if len(ordered) < 2:
        return {level: DIM for level in ordered}
    between = dict(zip(ordered[1:-1], PLACES[2:] * len(ordered)))
    return {**between, ordered[0]: SHORT, ordered[-1]: LONG}
