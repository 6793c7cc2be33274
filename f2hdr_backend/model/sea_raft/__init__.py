"""SEA-RAFT (Wang, Lipson and Deng, ECCV 2024), size M as trained for Spring: flow with a single look-up pyramid.

Tensor names in the state dict are those of the published ``Tartan-C-T-TSKH-spring540x960-M.pth``.
"""

from f2hdr_backend.kernels import lacking_kernel
from f2hdr_backend.model.sea_raft.network import SIZE_MINIMUM, SIZE_MULTIPLE, FrameFeatures, SeaRaft

__all__ = ["SIZE_MINIMUM", "SIZE_MULTIPLE", "FrameFeatures", "SeaRaft", "lacking_kernel"]
