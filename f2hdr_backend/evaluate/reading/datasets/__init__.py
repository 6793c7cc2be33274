"""One module a dataset, named as users type it after ``--dataset``; each offers ``Reader``."""
