"""One module per flow estimator, with the name for ``--flow``."""
