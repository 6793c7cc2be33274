"""The library as loaded by hosts: symbols, several copies, threads, instances, memory, and declarations."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from f2hdr_backend.shot.document import Color, Engine, Output
from f2hdr_backend.shot.setting import label_of
from tests.ofx_plugin.fake_backend import FakeBackend
from tests.ofx_plugin.host import Host
from tests.ofx_plugin.plates import plate, plate_frame
from tests.ofx_plugin.suites import OK, REPLY_DEFAULT, Properties

ROOT = Path(__file__).parents[2]
Load = Callable[..., Host]


SAVED = {
    "exposures": ["measured", "given"],
    "phase": ["measured", "even frames are short", "odd frames are short"],
    "anchor": ["long", "short", "EV"],
    "quality": ["auto", "draft", "good", "best"],
    "method": ["auto", "f2hdr", "merge"],
    "reference_trust": ["soft", "hard", "off"],
    "precision": ["auto", "fp32", "bf16", "fp16"],
}
"""Choices of the first release: projects store the place of a choice, so later releases only append."""
SAVED_NUMBERS = ("ratio", "anchor_ev", "clip_level", "longest_wait")
SAVED_TEXTS = ("input_space", "output_space", "config", "weights", "flow", "device", "memory", "backend", "status")


def test_saved_projects_keep_their_parameters(load: Load) -> None:
    _, within = load().describe()
    for name, choices in SAVED.items():
        options = within.parameters[name].properties["OfxParamPropChoiceOption"]
        assert options[: len(choices)] == choices, name
    assert all(within.parameters[name].kind == "OfxParamTypeDouble" for name in SAVED_NUMBERS)
    assert all(within.parameters[name].kind == "OfxParamTypeString" for name in SAVED_TEXTS)


def test_parameters_are_the_fields_of_the_shot(load: Load) -> None:
    """Their defaults make a Shot that is the default Shot, and their help is the Shot's."""
    _, within = load().describe()
    for section in (Color, Engine, Output):
        for field in fields(section):
            parameter = within.parameters.get(field.name)
            if parameter is None:
                continue
            properties = parameter.properties
            assert properties["OfxParamPropHint"][0].startswith(field.metadata["help"])
            assert properties["OfxPropLabel"] == [label_of(field)]
            default = properties["OfxParamPropDefault"][0]
            if parameter.kind == "OfxParamTypeChoice":
                default = properties["OfxParamPropChoiceOption"][default]
            assert default == (1.0 if field.name == "clip_level" else field.default)


def test_hosts_render_again_after_each_change_that_affects_pixels(load: Load) -> None:
    _, within = load().describe()
    properties = {name: parameter.properties for name, parameter in within.parameters.items()}
    ignored = {name for name, some in properties.items() if some.get("OfxParamPropEvaluateOnChange") == [0]}
    assert ignored == {"device", "memory", "backend", "longest_wait", "status"}


@pytest.mark.skipif(not shutil.which("nm"), reason="needs nm")
def test_only_the_entry_points_are_exported(library: Path) -> None:
    listed = subprocess.run(["nm", "-D", "--defined-only", str(library)], capture_output=True, text=True, check=True)
    names = {line.split()[-1].partition("@")[0] for line in listed.stdout.splitlines()}
    assert names == {"OfxGetNumberOfPlugins", "OfxGetPlugin", "OfxSetHost"}


@pytest.mark.skipif(sys.platform != "linux", reason="LD_DEBUG is glibc's")
def test_the_library_links_only_to_system_libraries(library: Path) -> None:
    code = f"import ctypes; ctypes.CDLL({str(library)!r})"
    environment = {**os.environ, "LD_DEBUG": "bindings", "LD_BIND_NOW": "1"}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    bound = re.findall(rf"binding file {re.escape(str(library))} \[\d+\] to (\S+) \[", ran.stderr)
    assert bound
    names = {Path(path).name.partition(".so")[0] for path in bound}
    system = "libstdc++ libgcc_s libc libm libpthread libdl ld-linux-x86-64 ld-linux-aarch64 " + library.stem
    assert names <= set(system.split())
    assert not re.findall(rf"to {re.escape(str(library))} \[\d+\]: .* symbol `(?!Ofx)", ran.stderr)


def test_two_copies_of_the_library_work_in_one_process(load: Load, fake: FakeBackend) -> None:
    effects = [load().create() for _ in range(2)]
    for effect in effects:
        effect.clips["Source"].show(plate(1, 3))
    for effect in (*effects, *effects):
        assert effect.render(2)[0] == OK
    if not fake.in_memory:
        folders = {Path(request["output"]).parent for request in fake.requests}
        assert len(folders) == 2


def test_the_effect_declares_its_contexts_and_properties(load: Load) -> None:
    described, within = load().describe()
    assert described.properties["OfxImageEffectPropTemporalClipAccess"] == [1]
    assert described.properties["OfxImageEffectPropSupportsTiles"] == [0]
    assert described.properties["OfxImageEffectPropSupportedPixelDepths"] == ["OfxBitDepthFloat"]
    assert described.properties["OfxImageEffectPluginRenderThreadSafety"] == ["OfxImageEffectRenderInstanceSafe"]
    assert within.clip_descriptors["Source"]["OfxImageEffectPropTemporalClipAccess"] == [1]
    assert within.clip_descriptors["Source"]["OfxImageEffectPropSupportedComponents"] == [
        "OfxImageComponentRGBA", "OfxImageComponentRGB",
    ]  # fmt: skip
    for parameter in within.parameters.values():
        assert parameter.properties["OfxPropLabel"][0]
        if parameter.kind not in ("OfxParamTypeGroup",):
            assert parameter.properties["OfxParamPropHint"][0]
            assert parameter.properties["OfxParamPropParent"][0] in within.parameters


def test_results_vary_with_time(load: Load) -> None:
    host = load()
    effect, answer = host.create(), Properties(host.handles)
    assert host.act("OfxImageEffectActionGetClipPreferences", effect, Properties(host.handles), answer) == OK
    assert dict(answer) == {"OfxImageEffectFrameVarying": [1]}


def test_unused_actions_return_the_default(load: Load) -> None:
    host = load()
    effect = host.create()
    for action in ("OfxImageEffectActionGetTimeDomain", "OfxActionOpenGLContextAttached", "Anything"):
        assert host.act(action, effect) == REPLY_DEFAULT


def test_ten_instances_render_in_four_threads(load: Load, fake: FakeBackend) -> None:
    host = load()
    effects = [host.create() for _ in range(10)]
    for effect in effects:
        effect.clips["Source"].show(plate(1, 9))
    wrong: list[object] = []

    def work(thread: int) -> None:
        for number in range(2, 9):
            for effect in effects[thread::4]:
                status, pixels = effect.render(number)
                if status != OK or not np.array_equal(pixels[..., :3], 2 * plate_frame(number)[..., :3]):
                    wrong.append((thread, number, status))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_four_threads_render_one_instance_while_parameters_change(load: Load, fake: FakeBackend) -> None:
    host = load()
    effect = host.create()
    effect.clips["Source"].show(plate(1, 9))
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(8):
            status, pixels = effect.render(number)
            if status != OK or not np.array_equal(pixels[..., :3], 2 * plate_frame(number)[..., :3]):
                wrong.append((number, status))

    threads = [threading.Thread(target=work, args=(number,)) for number in (2, 4, 5, 7)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for anchor in ("long", "short", "EV"):
            effect.set(anchor=anchor, weights=f"weights for {anchor}", anchor_ev=1.5)
            effect.press("status")
    for thread in threads:
        thread.join()
    assert not wrong
    assert {request["shot"]["output"]["anchor"] for request in fake.requests} <= {"long", "short", "1.5"}


def memory_of(pid: int) -> int:
    """Private memory of a process in bytes."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return 1024 * sum(int(found) for found in re.findall(r"Private_\w+:\s+(\d+) kB", text))


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs /proc")
@pytest.mark.parametrize("in_memory", [True, False] if hasattr(os, "memfd_create") else [False])
def test_memory_does_not_grow_over_300_frames(library: Path, tmp_path: Path, in_memory: bool) -> None:
    """In a separate process, so that nothing else changes its memory."""
    code = f"""
import gc, json, os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.ofx_plugin.fake_backend import FakeBackend
from tests.ofx_plugin.host import Host
from tests.ofx_plugin.plates import plate
from tests.ofx_plugin.test_library import memory_of
fake = FakeBackend(Path({str(tmp_path / "run")!r}), in_memory={in_memory})
effect = Host(Path({str(library)!r})).create()
frames = plate(1, 9, (320, 180))
effect.clips["Source"].show(frames)
sizes = []
for turn in range(300):
    status, _ = effect.render(2 + turn % 7)
    assert status == 0
    fake.requests.clear(), fake.windows.clear()
    if turn % 20 == 19:
        gc.collect()
        sizes.append(memory_of(os.getpid()))
files = [path.stat().st_size for path in Path({str(tmp_path)!r}).glob("f2hdr-ofx-*/*")]
for path in Path("/proc/self/fd").iterdir():
    if path.is_symlink() and "memfd:f2hdr-ofx" in os.readlink(path):
        files.append(path.stat().st_size)
fake.stop()
print(json.dumps([sizes, files, effect.host.open_images]))
"""
    environment = {
        **os.environ, "F2HDR_RUNTIME": str(tmp_path / "run"),
        **({} if in_memory else {"F2HDR_BUFFERS": str(tmp_path)}),
        "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536",
    }  # fmt: skip
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    sizes, files, images = json.loads(ran.stdout)
    assert images == 0
    assert max(sizes[5:]) - max(sizes[:5]) < 4e6, sizes
    frames = [64 + 320 * 180 * 12] * 4
    assert sorted(files) == (frames if in_memory else [0, *frames]), "the lock, three frames and the result"
