"""The render server: one process owns the device and runs the renders of all host applications of its user."""
