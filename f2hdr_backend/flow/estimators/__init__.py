"""One module a flow estimator, named as users type it after ``--flow``."""
