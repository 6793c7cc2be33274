"""Table of all jobs of the backend: progress, remaining time, cancel, errors with hints."""

from __future__ import annotations

import time
from typing import Any, Optional

from f2hdr_backend.panel import theme
from f2hdr_backend.panel.basic_widgets import button, label, restyle
from f2hdr_backend.panel.qt import Qt, QtGui, QtWidgets, Signal

COLUMNS = ("Result", "From", "State", "Progress", "Left")
OPEN_STATES = ("queued", "running")
WORDS = {
    "queued": ("waiting", theme.DIM), "running": ("rendering", theme.INK), "done": ("done", theme.ACCENT),
    "failed": ("failed", theme.ERROR), "canceled": ("canceled", theme.DIM),
    "lost": ("lost", theme.WARNING), "canceling": ("canceling", theme.WARNING),
}  # fmt: skip


class _OwnColors(QtWidgets.QStyledItemDelegate):
    """Draws a selected row in the colors of its items."""

    def initStyleOption(self, option: Any, index: Any) -> None:
        super().initStyleOption(option, index)
        color = index.data(Qt.ItemDataRole.ForegroundRole)
        if color is not None:
            option.palette.setBrush(QtGui.QPalette.ColorRole.HighlightedText, color)


class JobsTable(QtWidgets.QWidget):
    """Shows the jobs of the server. Buttons act on the selected one."""

    cancel_asked = Signal(str)
    open_asked = Signal(str)
    """Show the result with this pattern."""
    reveal_asked = Signal(str)
    again_asked = Signal()
    """Submit the last render again."""

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._jobs: list[dict[str, Any]] = []
        self._canceling: set[str] = set()
        self._wanted = ""
        self._seen: dict[str, list[tuple[float, int]]] = {}
        self.table = QtWidgets.QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Jobs")
        self.table.setItemDelegate(_OwnColors(self.table))
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(26)
        self.table.setShowGrid(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.itemSelectionChanged.connect(self._selected)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QtWidgets.QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 56), (2, 70), (3, 74), (4, 44)):
            self.table.setColumnWidth(column, width)
        self.words = label("No job yet. Render a frame or the range.", "dim")
        self.words.setWordWrap(True)
        self.words.setAccessibleName("Job message")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.cancel = button("Cancel", self._cancel, "Cancel job", "Stop the selected job. Finished frames are kept.")
        self.open = button("Show", lambda: self._emit(self.open_asked), "Show result", "Show the selected job's "
                           "result in the viewer.")  # fmt: skip
        self.reveal = button("Open folder", lambda: self._emit(self.reveal_asked), "Open folder", "Open the folder of "
                             "the selected job's result.")  # fmt: skip
        self.again = button("Render again", self.again_asked.emit, "Render again", "Submit the last render again: "
                            "finished frames are kept.")  # fmt: skip
        buttons = QtWidgets.QHBoxLayout()
        for control in (self.cancel, self.open, self.reveal, self.again):
            buttons.addWidget(control)
        buttons.addStretch(1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.words)
        layout.addLayout(buttons)
        self._selected()

    def show_jobs(self, jobs: list[dict[str, Any]]) -> None:
        """Show these jobs, the newest first."""
        chosen = self.selected()
        self._jobs = jobs
        self._canceling &= {job["id"] for job in jobs if job["state"] in OPEN_STATES}
        self.table.blockSignals(True)
        self.table.setRowCount(len(jobs))
        for row, job in enumerate(jobs):
            self._show_row(row, job)
        self.table.blockSignals(False)
        ids = [job["id"] for job in jobs]
        now = self._wanted if self._wanted in ids else chosen["id"] if chosen else ""
        self._wanted = "" if now == self._wanted else self._wanted
        wanted = ids.index(now) if now in ids else 0 if jobs else -1
        if wanted >= 0:
            self.table.selectRow(wanted)
        self._selected()

    def select(self, job: str) -> None:
        """Select a job by its id when it appears."""
        self._wanted = job

    def selected(self) -> Optional[dict[str, Any]]:
        """Return the selected job."""
        row = self.table.currentRow()
        return self._jobs[row] if 0 <= row < len(self._jobs) else None

    def _show_row(self, row: int, job: dict[str, Any]) -> None:
        state = "canceling" if job["id"] in self._canceling else job["state"]
        words, color = WORDS.get(state, (state, theme.INK))
        name = job.get("output") or f"job {job['id'][:8]}"
        texts = (name, job.get("client", ""), words, None, time_left(self._left(job)))
        for column, text in enumerate(texts):
            if text is None:
                continue
            item = self.table.item(row, column)
            if item is None:
                item = QtWidgets.QTableWidgetItem()
                self.table.setItem(row, column, item)
            item.setText(_name(text) if column == 0 else text)
            item.setToolTip(text)
            item.setForeground(QtGui.QColor(color if column == 2 else theme.INK if column == 0 else theme.DIM))
        bar: Any = self.table.cellWidget(row, 3)
        if bar is None:
            bar = QtWidgets.QProgressBar()
            bar.setAccessibleName("Progress")
            self.table.setCellWidget(row, 3, bar)
        bar.setRange(0, max(job["total"], 1))
        bar.setValue(job["done"])
        bar.setFormat(f"{job['done']} / {job['total']}" if job["total"] else "")

    def _left(self, job: dict[str, Any]) -> Optional[float]:
        """Return the estimated seconds until a job is done, from the rate of its last frames; None if unknown."""
        if job["state"] != "running" or job["id"] in self._canceling:
            self._seen.pop(job["id"], None)
            return None
        seen = self._seen.setdefault(job["id"], [])
        if not seen or seen[-1][1] != job["done"]:
            seen.append((time.monotonic(), job["done"]))
            del seen[:-12]
        first, last = seen[0], seen[-1]
        if last[1] - first[1] < 1:
            return None
        pace = (last[0] - first[0]) / (last[1] - first[1])
        return max(0.0, pace * (job["total"] - job["done"]) - (time.monotonic() - last[0]))

    def _selected(self) -> None:
        job = self.selected()
        is_open = job is not None and job["state"] in OPEN_STATES
        self.cancel.setEnabled(is_open and job is not None and job["id"] not in self._canceling)
        for control in (self.open, self.reveal):
            control.setEnabled(bool(job and job.get("output")))
        self.again.setEnabled(job is not None and not is_open and job["state"] != "done")
        if job is None:
            self.words.setText("No job yet. Render a frame or the range.")
            return
        error = job.get("error")
        words = f"{error['message']} {error['hint']}" if error else job["message"]
        warnings = job.get("warnings") or []
        self.words.setText("\n".join([words, *(f"Warning: {text}" for text in warnings[:3])]))
        restyle(self.words, "wrong" if error else "warning" if job["state"] == "lost" else "dim")

    def _cancel(self) -> None:
        job = self.selected()
        if job is not None:
            self._canceling.add(job["id"])
            self.cancel_asked.emit(job["id"])
            self.show_jobs(self._jobs)

    def _emit(self, signal: Any) -> None:
        job = self.selected()
        if job is not None and job.get("output"):
            signal.emit(job["output"])


def time_left(seconds: Optional[float]) -> str:
    """Return a duration as text, such as ``3 min``; empty for None."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _name(path: str) -> str:
    """Return the last component of a path, of a pattern without frame number and extension."""
    last = path.replace("\\", "/").rpartition("/")[2]
    return last.partition("#")[0].rstrip("._-") or last
