"""The display transform on the GPU: OCIO's own shader, run by OpenGL without a window (moderngl).

The picture process owns the OpenGL context, so nothing changes in a host's window and its own OpenGL. Where there is
no OpenGL, or only one that a CPU emulates, :mod:`f2hdr_backend.pictures.display_transform` computes on the CPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import PyOpenColorIO as ocio
from numpy.typing import NDArray

from f2hdr_backend.image.arrays import FloatArray
from f2hdr_backend.shot.errors import DeviceError

VARIABLE = "F2HDR_PANEL_DISPLAY"
"""Environment variable: ``auto`` (default), ``cpu``, or ``gpu``, which also takes an emulated OpenGL."""
_EMULATED = ("llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic", "basic render")
"""Names of renderers that compute on the CPU, and more slowly than the table does."""
_GL_DITHER = 0x0BD0
_VERTICES = """#version 330 core
void main() { gl_Position = vec4(float(gl_VertexID / 2) * 4.0 - 1.0, float(gl_VertexID % 2) * 4.0 - 1.0, 0.0, 1.0); }
"""
_FRAGMENTS = """#version 330 core
uniform sampler2D f2hdr_pixels;
uniform float f2hdr_gain;
uniform float f2hdr_power;
uniform vec3 f2hdr_mix;
out vec4 f2hdr_shown;
{ocio}
void main() {{
    vec3 light = texelFetch(f2hdr_pixels, ivec2(gl_FragCoord.xy), 0).rgb * f2hdr_gain;
    if (f2hdr_mix != vec3(0.0)) light = vec3(dot(light, f2hdr_mix));
    vec3 code = f2hdr_display(vec4(light, 1.0)).rgb;
    if (f2hdr_power != 1.0) code = pow(max(code, vec3(0.0)), vec3(f2hdr_power));
    f2hdr_shown = vec4(code, 1.0);
}}
"""


@dataclass(frozen=True)
class Shading:
    """The parts of a look that are applied before and after the view transform."""

    gain: float
    """Factor on scene-linear pixels."""
    power: float
    """Exponent on display codes."""
    mix: tuple[float, float, float]
    """Weights of red, green and blue in a gray picture; zeros for the color picture."""


class Gpu:
    """An OpenGL context on a thread of its own, with one compiled shader for each view. ``draw`` is thread-safe."""

    def __init__(self) -> None:
        """Raises DeviceError if OpenGL 3.3 or moderngl is not available."""
        self._thread = ThreadPoolExecutor(1, "display")
        self._views: dict[str, _View] = {}
        self._context: Any = self._run(_context)
        facts = self._run(lambda: self._context.info)  # a context is current on one thread
        self.name: str = facts["GL_RENDERER"]
        self._longest: int = facts["GL_MAX_TEXTURE_SIZE"]

    @property
    def is_emulated(self) -> bool:
        """Whether the CPU does the work."""
        return any(name in self.name.lower() for name in _EMULATED)

    def fits(self, pixels: FloatArray) -> bool:
        """Whether a picture is small enough for one texture."""
        return max(pixels.shape[:2]) <= self._longest

    def draw(self, exact: Any, pixels: FloatArray, shading: Shading) -> NDArray[np.uint8]:
        """Return ``(H, W, 4)`` RGBA of ``(H, W, 3)`` scene-linear pixels.

        Args:
            exact: OCIO's Processor of the view.
            pixels: float32; not modified.
            shading: what comes before and after the view.

        Raises DeviceError if OpenGL fails.
        """
        return self._run(lambda: self._drawn(exact, pixels, shading))

    def _run(self, work: Callable[[], Any]) -> Any:
        try:
            return self._thread.submit(work).result()
        except Exception as error:  # drivers and moderngl raise arbitrary exceptions
            raise DeviceError(f"OpenGL failed: {error}.", hint=f"Set {VARIABLE}=cpu to use the CPU instead.") from error

    def _drawn(self, exact: Any, pixels: FloatArray, shading: Shading) -> NDArray[np.uint8]:
        key = exact.getCacheID()
        if key not in self._views:
            self._views[key] = _View(self._context, exact)
        height, width = pixels.shape[:2]
        source = self._context.texture((width, height), 3, np.ascontiguousarray(pixels, np.float32), dtype="f4")
        target = self._context.simple_framebuffer((width, height), 4)
        picture = np.empty((height, width, 4), np.uint8)
        try:
            self._views[key].render(source, target, shading)
            target.read_into(picture, components=4, alignment=1)
        finally:
            source.release()
            target.release()
        return picture


class _View:
    """The shader of one view with its tables."""

    def __init__(self, context: Any, exact: Any) -> None:
        shader = ocio.GpuShaderDesc.CreateShaderDesc(
            language=ocio.GPU_LANGUAGE_GLSL_1_3, functionName="f2hdr_display", resourcePrefix="ocio_"
        )
        shader.setAllowTexture1D(False)
        exact.getDefaultGPUProcessor().extractGpuShaderInfo(shader)
        self._program = context.program(_VERTICES, _FRAGMENTS.format(ocio=shader.getShaderText()))
        self._triangle = context.vertex_array(self._program, [])
        self._tables = [*_flat_tables(context, shader), *_cubes(context, shader)]

    def render(self, source: Any, target: Any, shading: Shading) -> None:
        """Draw one picture."""
        for place, (name, table) in enumerate([("f2hdr_pixels", source), *self._tables]):
            table.use(place)
            self._set(name, place)
        self._set("f2hdr_gain", shading.gain)
        self._set("f2hdr_power", shading.power)
        self._set("f2hdr_mix", shading.mix)
        target.use()
        self._triangle.render(vertices=3)

    def _set(self, name: str, value: Any) -> None:
        if name in self._program:  # a compiler drops what has no effect
            self._program[name].value = value


def _flat_tables(context: Any, shader: Any) -> list[tuple[str, Any]]:
    """The names and textures of a shader's one-dimensional tables, which are 2D textures."""
    found = []
    for table in shader.getTextures():
        channels = 1 if table.channel == ocio.GpuShaderDesc.TEXTURE_RED_CHANNEL else 3
        values = np.ascontiguousarray(table.getValues(), np.float32)
        texture = context.texture((table.width, table.height), channels, values, dtype="f4", alignment=1)
        texture.repeat_x = texture.repeat_y = False
        texture.filter = _filter(context, table)
        found.append((table.samplerName, texture))
    return found


def _cubes(context: Any, shader: Any) -> list[tuple[str, Any]]:
    """The names and textures of a shader's three-dimensional tables."""
    found = []
    for table in shader.get3DTextures():
        values = np.ascontiguousarray(table.getValues(), np.float32)
        texture = context.texture3d((table.edgeLen,) * 3, 3, values, dtype="f4", alignment=1)
        texture.repeat_x = texture.repeat_y = texture.repeat_z = False
        texture.filter = _filter(context, table)
        found.append((table.samplerName, texture))
    return found


def _filter(context: Any, table: Any) -> tuple[int, int]:
    """OCIO's shader itself interpolates tetrahedrally, from the nearest entries."""
    kind = context.NEAREST if table.interpolation in (ocio.INTERP_NEAREST, ocio.INTERP_TETRAHEDRAL) else context.LINEAR
    return kind, kind


def _context() -> Any:
    import moderngl

    try:
        context = moderngl.create_context(require=330, standalone=True)
    except Exception:
        if os.name != "posix":
            raise
        without_display: Any = {"backend": "egl"}
        context = moderngl.create_context(require=330, standalone=True, **without_display)
    context.disable_direct(_GL_DITHER)
    return context


def choose() -> tuple[Gpu | None, str]:
    """Return the GPU for display transforms, or None for the CPU, and a sentence with the choice and the reason."""
    wanted = os.environ.get(VARIABLE, "auto").strip().lower() or "auto"
    if wanted == "cpu":
        return None, f"CPU: {VARIABLE} is set to cpu."
    try:
        gpu = Gpu()
    except DeviceError as error:
        return None, f"CPU: {error.message}"
    if gpu.is_emulated and wanted != "gpu":
        return None, f"CPU: the only OpenGL is {gpu.name}, which is slower."
    return gpu, f"GPU: {gpu.name}, OpenGL."
