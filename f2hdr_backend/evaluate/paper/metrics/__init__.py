"""The metrics of the benchmark: one module per name of ``--metrics``, each defining ``METRIC``."""
