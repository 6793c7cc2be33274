"""``f2hdr train``: weights from a folder of radiance images."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from f2hdr_backend.model.descriptor import Descriptor
    from f2hdr_backend.train.loop import StepDone, TrainPlan
    from f2hdr_backend.train.sources import Source

REPORT_EVERY = 10
SCORED_WINDOWS = 48


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(train)


def train(
    images: Annotated[Path, typer.Argument(help="Folder of scene-linear EXR images; 2:1 ones are panoramas.")],
    run: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run; resumed if it is there.")],
    name: Annotated[str, typer.Option(help="Name of the finished weights.")] = "mine",
    into: Annotated[Path | None, typer.Option(help="Folder for them; by default the user's weights folder.")] = None,
    license_text: Annotated[str, typer.Option("--license", help="License of the finished weights.")] = "unstated",
    steps: Annotated[int, typer.Option(help="Optimizer steps in all.")] = 3000,
    windows: Annotated[int, typer.Option(help="Windows a step.")] = 4,
    crop: Annotated[int, typer.Option(help="Side of a training window in pixels, a multiple of 16.")] = 128,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 4e-4,
    seed: Annotated[int, typer.Option(help="Seed of windows and first weights.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:0.")] = "auto",
) -> None:
    """Train the network on synthetic shots; the same command again goes on from the last checkpoint.

    Panoramas that are kept out of training (f2hdr_backend.train.sources.HELD_OUT) score the result.
    """
    from f2hdr_backend.engine.reconstruct import pick_device
    from f2hdr_backend.model.descriptor import Descriptor
    from f2hdr_backend.train.loop import TrainPlan, averaged_tensors
    from f2hdr_backend.train.loop import train as train_steps
    from f2hdr_backend.train.sources import load_sources
    from f2hdr_backend.weights import store

    store.check_name(name, into, replace=True)
    run.mkdir(parents=True, exist_ok=True)
    sources = load_sources(images)
    plan = TrainPlan(steps, windows=windows, crop_px=crop, learning_rate=rate, seed=seed)
    descriptor = Descriptor()
    with (run / "train.csv").open("a", newline="") as log:
        for done in train_steps(sources, plan, run, descriptor, pick_device(device)):
            _report(done, plan, csv.writer(log))
            log.flush()
    tensors = averaged_tensors(run)
    card = _card(sources, plan, license_text)
    card["scores"] = _scores(images, descriptor, tensors, card)
    entry = store.save(store.Weights(name, descriptor, card, tensors), into, replace=True)
    print(f"{entry.path}  {entry.sha256[:12]}  {card['scores']}")


def _report(done: StepDone, plan: TrainPlan, log: Any) -> None:
    log.writerow((done.step, f"{done.loss:.5f}", f"{done.coarse_flow_px:.4f}", f"{done.flow_px:.4f}"))
    if done.step % REPORT_EVERY == 0:
        flow = f"flow error {done.coarse_flow_px:.2f} -> {done.flow_px:.2f} px"
        print(f"step {done.step}/{plan.steps}  loss {done.loss:.4f}  {flow}", file=sys.stderr, flush=True)


def _card(sources: list[Source], plan: TrainPlan, license_text: str) -> dict[str, Any]:
    from f2hdr_backend.train.synthesis import RATIOS_EV

    return {
        "source": f"f2hdr train, {len(sources)} images, {plan.steps} steps of {plan.windows} x {plan.crop_px} px",
        "license": license_text,
        "images": [source.name for source in sources],
        "steps": plan.steps,
        "seed": plan.seed,
        "ratio_stops": [min(RATIOS_EV), max(RATIOS_EV)],
    }


def _scores(images: Path, descriptor: Descriptor, tensors: dict[str, Any], card: dict[str, Any]) -> dict[str, float]:
    """Mean PSNR_T on the synthetic suite, beside the merge and the bare reference; none without held-out images."""
    import tempfile

    import torch

    from f2hdr_backend.engine.reconstruct import MergeMethod, Method, NetworkMethod
    from f2hdr_backend.evaluate.synthetic import run, summary
    from f2hdr_backend.shot.document import Engine
    from f2hdr_backend.shot.errors import DocumentError
    from f2hdr_backend.train.sources import load_sources
    from f2hdr_backend.weights import store

    try:
        held_out = load_sources(images, held_out=True)
    except DocumentError:
        print("no held-out panoramas in that folder: the weights carry no scores", file=sys.stderr)
        return {}
    with tempfile.TemporaryDirectory() as folder:
        entry = store.save(store.Weights("candidate", descriptor, card, tensors), Path(folder))
        cpu = torch.device("cpu")
        methods: dict[str, Method] = {
            "f2hdr": NetworkMethod(Engine(), cpu, entry),
            "merge": MergeMethod(Engine(method="merge"), cpu),
        }
        table = summary(list(run(held_out, methods, SCORED_WINDOWS, Engine().reference_trust)))
    return {f"{method} PSNR_T": round(row["PSNR_T"], 2) for method, row in table.items()}
