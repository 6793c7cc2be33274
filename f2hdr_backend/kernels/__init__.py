"""Local correlation: the values that SEA-RAFT reads from the all-pairs volume, without storing the volume."""

from f2hdr_backend.kernels.correlation import feature_pyramid, lacking_kernel, local_correlation, maker

__all__ = ["feature_pyramid", "lacking_kernel", "local_correlation", "maker"]
