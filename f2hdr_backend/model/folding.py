"""Batch norms folded into the convolutions before them: the same network in fewer passes over memory."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Convolution = (nn.Conv2d, nn.ConvTranspose2d)


def fold_batch_norms(network: nn.Module) -> None:
    """Fold every batch norm of a network in evaluation mode into its convolution, in place.

    A pair is a convolution followed by a norm in a ``Sequential``, or the attributes ``convN`` and ``bnN`` of a module.
    """
    for module in list(network.modules()):
        for before, after in list(_pairs(module)):
            convolution, norm = module._modules[before], module._modules[after]
            if isinstance(convolution, Convolution) and isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(convolution, nn.ConvTranspose2d)
                module._modules[before] = fuse_conv_bn_eval(convolution, norm, transposed)
                module._modules[after] = nn.Identity()


def _pairs(module: nn.Module) -> Iterator[tuple[str, str]]:
    names = list(module._modules)
    if isinstance(module, nn.Sequential):
        yield from zip(names, names[1:], strict=False)
    yield from ((f"conv{name[2:]}", name) for name in names if name.startswith("bn") and f"conv{name[2:]}" in names)
