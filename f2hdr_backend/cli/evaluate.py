"""``f2hdr evaluate``: scores on a seeded suite of synthetic shots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(evaluate)


def evaluate(
    images: Annotated[Path, typer.Argument(help="Folder that holds the held-out panoramas.")],
    weights: Annotated[str, typer.Option(help="Weights by name.")] = "standard",
    windows: Annotated[int, typer.Option(help="Windows of the suite to score, from its first.")] = 48,
    reference_trust: Annotated[str, typer.Option(help="soft, hard or off.")] = "soft",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Score weights on synthetic shots from panoramas no training saw, beside the merge and the bare reference.

    PSNR_T is the mean over windows of 10 log10(1 / MSE) after the mu-law curve, mu = 5000, against the true radiance
    clipped to 0-1, 1 being the clip of the short exposure. Regions are pooled over all windows.
    """
    import torch

    from f2hdr_backend.engine.reconstruct import MergeMethod, Method, NetworkMethod
    from f2hdr_backend.evaluate.synthetic import SEED, SIZE, run, summary
    from f2hdr_backend.shot.document import Engine
    from f2hdr_backend.train.sources import load_sources

    cpu = torch.device("cpu")
    engine = Engine(weights=weights, reference_trust=reference_trust)
    methods: dict[str, Method] = {weights: NetworkMethod(engine, cpu), "merge": MergeMethod(engine, cpu)}
    table = summary(list(run(load_sources(images, held_out=True), methods, windows, reference_trust)))
    if as_json:
        print(json.dumps({"suite": {"seed": SEED, "size": SIZE, "windows": windows}, "scores": table}))
        return
    columns = list(next(iter(table.values())))
    print(f"{'':24}" + "".join(f"{method:>12}" for method in table))
    for column in columns:
        print(f"{column:24}" + "".join(f"{row[column]:12.2f}" for row in table.values()))
