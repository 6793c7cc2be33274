"""The Python API on numpy arrays and paths; ``f2hdr_backend`` exports these functions by name."""
