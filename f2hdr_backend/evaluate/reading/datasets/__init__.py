"""One module per dataset, named as for ``--dataset``; each defines ``Reader``."""
