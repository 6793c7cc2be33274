"""OpenCue's XML job specification, for ``opencue.api.launchSpecAndWait``.

Source: OpenCue's job specification ``cjsl-1.15``, as pyoutline 1.37 serializes a job of plain commands.
"""

from __future__ import annotations

import shlex
from xml.etree import ElementTree

from f2hdr_backend.farm.job import SHOT_FILE, FarmJob, Site
from f2hdr_backend.shot.frames import FrameRange

SPEC = '<!DOCTYPE spec PUBLIC "SPI Cue  Specification Language" "http://localhost:8080/spcue/dtd/cjsl-1.15.dtd">'
CHECKED_FRAME = "1"
"""Frame number of the check, which has a single task; OpenCue requires one."""


def export(job: FarmJob, site: Site) -> dict[str, str]:
    """Return file names and texts."""
    shot = shlex.quote(str(site.folder / SHOT_FILE))
    spec = ElementTree.Element("spec")
    for name, text in _who(job, site).items():
        ElementTree.SubElement(spec, name).text = text
    spec.append(_job(job, shot))
    depends = ElementTree.SubElement(spec, "depends")
    depends.append(_depend(job.name, "check", "reconstruct"))
    ElementTree.indent(spec)
    text = f'<?xml version="1.0"?>\n{SPEC}\n{ElementTree.tostring(spec, encoding="unicode")}\n'
    return {"job.xml": text, SHOT_FILE: job.shot_text()}


def _who(job: FarmJob, site: Site) -> dict[str, str]:
    return {
        "facility": "local",
        "show": site.show,
        "shot": job.name,
        "user": site.user,
        "uid": str(site.uid),
    }


def _job(job: FarmJob, shot: str) -> ElementTree.Element:
    element = ElementTree.Element("job", {"name": job.name})
    settings = {"paused": "False", "priority": str(job.priority), "maxretries": str(job.retries), "autoeat": "False"}
    for name, text in settings.items():
        ElementTree.SubElement(element, name).text = text
    ElementTree.SubElement(element, "env")
    layers = ElementTree.SubElement(element, "layers")
    command = shlex.quote(job.command)
    render = f"{command} render {shot} --frames #FRAMESPEC# --json"
    layers.append(_layer("reconstruct", render, _spec(job.frames), job.chunk, 1 if job.needs_gpu else 0))
    layers.append(_layer("check", f"{command} check {shot} --sweep --json", CHECKED_FRAME, 1, 0))
    return element


def _layer(name: str, command: str, frames: str, chunk: int, gpus: int) -> ElementTree.Element:
    layer = ElementTree.Element("layer", {"name": name, "type": "Render"})
    settings = {"cmd": command, "range": frames, "chunk": str(chunk)}
    if gpus:
        settings |= {"gpus": str(gpus), "gpu_memory": "1g"}
    for tag, text in settings.items():
        ElementTree.SubElement(layer, tag).text = text
    ElementTree.SubElement(layer, "env")
    services = ElementTree.SubElement(layer, "services")
    ElementTree.SubElement(services, "service").text = "shell"
    ElementTree.SubElement(layer, "outputs")
    return layer


def _depend(job: str, layer: str, on: str) -> ElementTree.Element:
    depend = ElementTree.Element("depend", {"type": "LAYER_ON_LAYER", "anyframe": "False"})
    for tag, text in {"depjob": job, "deplayer": layer, "onjob": job, "onlayer": on}.items():
        ElementTree.SubElement(depend, tag).text = text
    return depend


def _spec(frames: FrameRange) -> str:
    """Return frames in OpenCue's syntax, which also uses ``x`` for steps."""
    return str(frames)
