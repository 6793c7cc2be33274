"""The suites, one module each. A module is named as users type it and has a class ``Suite``."""
