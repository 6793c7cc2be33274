"""Open Job Description bundle, supported by ``openjd run`` and AWS Deadline Cloud.

Source: Open Job Description, template schema ``jobtemplate-2023-09`` with the extension TASK_CHUNKING (RFC 0001).
"""

from __future__ import annotations

import os
from typing import Any

from f2hdr_backend.farm.job import DEFAULT_CHUNK, SHOT_FILE, FarmJob, Site, document
from f2hdr_backend.shot.frames import FrameRange, Sequence
from f2hdr_backend.shot.paths import paths_in

TEMPLATE_FILE = "template.json"
NOTICE_SECONDS = 30
"""Seconds that a canceled task has to finish the current frame."""
_MAPPED = ["--path-mapping", "{{Session.PathMappingRulesFile}}", "--progress", "openjd"]


def export(job: FarmJob, site: Site) -> dict[str, str]:
    """Return the bundle as file names and texts. The template is the same for every job with the same steps."""
    return {
        TEMPLATE_FILE: document(template(job)),
        "parameter_values.json": document({"parameterValues": _values(job)}),
        "asset_references.json": document({"assetReferences": _assets(job)}),
        SHOT_FILE: job.shot_text(),
    }


def template(job: FarmJob) -> dict[str, Any]:
    """Return the template with the steps: prepare, reconstruct in chunks, check, and optionally convert."""
    steps = [_prepare(), _reconstruct(job), _check()]
    if job.convert_to:
        steps.append(_convert())
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": ["TASK_CHUNKING"],
        "name": "{{Param.JobName}}",
        "parameterDefinitions": _parameters(job),
        "steps": steps,
    }


def parameters(job: FarmJob) -> dict[str, str | int]:
    """Return the values of the template's parameters."""
    prepared = os.path.join(job.output_folder, f"{job.name}.shot.json")
    converted = {"Result": job.shot.output.pattern, "Converted": job.convert_to, "Display": job.display}
    return {
        "JobName": job.name,
        "Prepared": prepared,
        "Frames": frames_expression(job.frames),
        "ChunkSize": job.chunk,
        "F2HDR": job.command,
        **(converted if job.convert_to else {}),
    }


def frames_expression(frames: FrameRange) -> str:
    """Return frames in OpenJD's syntax of integer ranges, which uses a colon for steps."""
    return str(frames).replace("x", ":")


def _parameters(job: FarmJob) -> list[dict[str, Any]]:
    definitions: list[dict[str, Any]] = [
        {"name": "JobName", "type": "STRING", "default": "F2HDR", "maxLength": 128},
        {
            "name": "Shot", "type": "PATH", "objectType": "FILE", "dataFlow": "IN", "default": SHOT_FILE,
            "description": "The Shot document.",
        },
        {
            "name": "Prepared", "type": "PATH", "objectType": "FILE", "dataFlow": "OUT",
            "description": "Path of the settled Shot, which the other steps read.",
        },
        {"name": "Frames", "type": "STRING", "description": "Frames to render, such as 1001-1100."},
        {
            "name": "ChunkSize", "type": "INT", "minValue": 1, "default": DEFAULT_CHUNK,
            "description": "Frames per task.",
        },
        {"name": "F2HDR", "type": "STRING", "default": "f2hdr", "description": "The command on the workers."},
    ]  # fmt: skip
    if job.convert_to:
        file = {"type": "PATH", "objectType": "FILE", "dataFlow": "OUT"}
        definitions += [{"name": "Result", **file}, {"name": "Converted", **file}]
        definitions += [{"name": "Display", "type": "STRING"}]
    return definitions


def _prepare() -> dict[str, Any]:
    arguments = ["prepare", "{{Param.Shot}}", "--output", "{{Param.Prepared}}", "--frames", "{{Param.Frames}}"]
    return {"name": "Prepare", "script": _run([*arguments, *_MAPPED])}


def _reconstruct(job: FarmJob) -> dict[str, Any]:
    verb = ["farm", "task"] if job.warm else ["render"]
    arguments = [*verb, "{{Param.Prepared}}", "--frames", "{{Task.Param.Frame}}"]
    chunked = {
        "name": "Frame",
        "type": "CHUNK[INT]",
        "range": "{{Param.Frames}}",
        "chunks": {
            "defaultTaskCount": "{{Param.ChunkSize}}",
            "targetRuntimeSeconds": 0,
            "rangeConstraint": "CONTIGUOUS",
        },
    }
    step: dict[str, Any] = {
        "name": "Reconstruct",
        "dependencies": [{"dependsOn": "Prepare"}],
        "parameterSpace": {"taskParameterDefinitions": [chunked]},
        "script": _run([*arguments, *_MAPPED]),
    }
    if job.warm:
        step["stepEnvironments"] = [_backend()]
    if job.needs_gpu:
        step["hostRequirements"] = {"amounts": [{"name": "amount.worker.gpu", "min": 1}]}
    return step


def _backend() -> dict[str, Any]:
    """A server for the session: the first task starts it, the others use it, and it is stopped with the session."""
    stop = {"command": "{{Param.F2HDR}}", "args": ["serve", "--stop"]}
    return {
        "name": "Backend",
        "variables": {"F2HDR_RUNTIME": "{{Session.WorkingDirectory}}"},
        "script": {"actions": {"onEnter": stop, "onExit": stop}},
    }


def _check() -> dict[str, Any]:
    arguments = ["check", "{{Param.Prepared}}", "--frames", "{{Param.Frames}}", "--sweep"]
    return {"name": "Check", "dependencies": [{"dependsOn": "Reconstruct"}], "script": _run([*arguments, *_MAPPED])}


def _convert() -> dict[str, Any]:
    arguments = ["convert", "{{Param.Result}}", "--output", "{{Param.Converted}}", "--display", "{{Param.Display}}"]
    return {"name": "Convert", "dependencies": [{"dependsOn": "Check"}], "script": _run(arguments)}


def _run(arguments: list[str]) -> dict[str, Any]:
    stop = {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": NOTICE_SECONDS}
    return {"actions": {"onRun": {"command": "{{Param.F2HDR}}", "args": arguments, "cancelation": stop}}}


def _values(job: FarmJob) -> list[dict[str, str | int]]:
    return [{"name": name, "value": value} for name, value in parameters(job).items()]


def _assets(job: FarmJob) -> dict[str, Any]:
    """Return the files that a scheduler without shared storage must copy."""
    plate = job.shot.plate
    is_sequence = Sequence.is_pattern(plate)
    inputs = [] if is_sequence else [plate]
    inputs += [named.path for named in paths_in(job.shot.color) if os.path.isabs(named.path)]
    return {
        "inputs": {"filenames": inputs, "directories": [os.path.dirname(plate)] if is_sequence else []},
        "outputs": {"directories": [job.output_folder]},
        "referencedPaths": [],
    }
