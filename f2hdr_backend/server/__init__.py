"""The shared backend: one process owns the device and serves every host of its user in turn."""
