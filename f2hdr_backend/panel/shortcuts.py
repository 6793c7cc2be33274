"""The keys of the window, as in compositing applications, and the text that lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from f2hdr_backend.panel.qt import Qt

KEYS = """\
Left, Right          previous, next frame
J  K  L              play backward, pause, play forward;  Space: play or pause
Home, End            first, last frame of the range
I, O                 first, last frame of the range is this one (again: reset)
1  2  3  W           plate, result, difference, wipe
F, H                 whole picture, actual size;  wheel: zoom;  drag: pan
.  ,  0              exposure half a stop up, down, reset
M                    match the plate's exposure to the result
E                    correct the exposure of this frame
R  G  B  Y           one channel, luminance (again: RGB)
Ctrl+R               render this frame;  Ctrl+Shift+R: render the range
Ctrl+D               detect exposures;  Ctrl+Z: undo a change of the Shot"""


def keys_of(window: Any) -> dict[Any, Callable[[], object]]:
    """Return the function of each key in a workspace."""
    viewer, bar, key = window.viewer, window.viewer.bar, Qt.Key

    def correct() -> None:
        line = window.timeline
        if line.strip.frames:
            line.correction_asked.emit(line.frame, line.mapToGlobal(line.place_of_frame()))

    return {
        **window.player.keys(),
        key.Key_1: lambda: bar.set_mode("plate"), key.Key_2: lambda: bar.set_mode("result"),
        key.Key_3: lambda: bar.set_mode("difference"), key.Key_W: viewer.toggle_wipe, key.Key_F: viewer.canvas.fit,
        key.Key_H: viewer.canvas.actual_size, key.Key_M: bar.toggle_match, key.Key_0: bar.exposure.reset,
        key.Key_Period: lambda: bar.exposure.set_value(bar.exposure.value + 0.5),
        key.Key_Comma: lambda: bar.exposure.set_value(bar.exposure.value - 0.5),
        key.Key_E: correct,
        key.Key_R: lambda: bar.toggle_channel("r"), key.Key_G: lambda: bar.toggle_channel("g"),
        key.Key_B: lambda: bar.toggle_channel("b"), key.Key_Y: lambda: bar.toggle_channel("y"),
    }  # fmt: skip
