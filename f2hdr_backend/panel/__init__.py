"""The panel: a Qt window to look at a plate, set up its Shot and watch it render; alone or docked in a host.

What a host loads is Python 3.9, the standard library and the host's own Qt. Files are read, and colors converted, by
a process of the backend (see ``pictures``).
"""
