"""Functions for Python users, on numpy arrays and paths; ``f2hdr_backend`` itself offers them by name."""
