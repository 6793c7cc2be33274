"""Submission files for Deadline 10 (in maintenance), whose CommandLine plugin runs ``f2hdr``.

Source: Deadline 10 manual, "Manual Job Submission" (job and plugin info files) and "Command Line" (the plugin).
Two jobs, of which the second depends on the first: ``deadlinecommand -SubmitMultipleJobs -dependent``.
"""

from __future__ import annotations

from pathlib import PurePath

from f2hdr_backend.farm.job import SHOT_FILE, FarmJob, Site
from f2hdr_backend.shot.errors import ShotError
from f2hdr_backend.shot.printable import has_control


def export(job: FarmJob, site: Site) -> dict[str, str]:
    """Return file names and texts.

    Raises ShotError for frames with gaps: a task has only a first and a last frame.
    """
    if len(job.frames) != job.frames.last - job.frames.first + 1:
        raise ShotError(
            f"Deadline 10 only supports consecutive frames, but {job.frames} has gaps.",
            hint="Export each consecutive range as its own job: --frames 1001-1010.",
            frames=job.frames.frames,
        )
    folder = site.folder
    shot = folder / SHOT_FILE
    if has_control(str(folder)) or '"' in str(folder):
        raise ShotError(
            f"The folder {folder} contains a quotation mark or a control character, which Deadline 10 misreads.",
            hint="Write the job to another folder.",
            path=str(folder),
        )
    render = f'render "{shot}" --frames <STARTFRAME>-<ENDFRAME> --json'
    check = f'check "{shot}" --sweep --json'
    return {
        "render_job.info": _job(job, job.name, f"ChunkSize={job.chunk}", f"Frames={job.frames}"),
        "render_plugin.info": _plugin(job, render),
        "check_job.info": _job(job, f"{job.name} check", "ChunkSize=1", "Frames=0"),
        "check_plugin.info": _plugin(job, check),
        "submit.txt": _submit(folder),
        SHOT_FILE: job.shot_text(),
    }


def _job(job: FarmJob, name: str, *frames: str) -> str:
    lines = [
        "Plugin=CommandLine",
        f"Name={name}",
        *frames,
        f"Priority={job.priority}",
        "OverrideJobFailureDetection=true",
        f"FailureDetectionTaskErrors={job.retries + 1}",
        f"OutputDirectory0={job.output_folder}",
    ]
    return "\n".join(lines) + "\n"


def _plugin(job: FarmJob, arguments: str) -> str:
    lines = [
        f"Executable={job.command}",
        f"Arguments={arguments}",
        "Shell=default",
        "ShellExecute=False",
        "SingleFramesOnly=False",
    ]
    return "\n".join(lines) + "\n"


def _submit(folder: PurePath) -> str:
    pairs = " ".join(
        f'-job "{folder / f"{part}_job.info"}" "{folder / f"{part}_plugin.info"}"' for part in ("render", "check")
    )
    return f"deadlinecommand -SubmitMultipleJobs -dependent {pairs}\n"
