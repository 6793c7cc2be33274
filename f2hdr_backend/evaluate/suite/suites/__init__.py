"""The suites, one module each, with the name of the suite and a class ``Suite``."""
