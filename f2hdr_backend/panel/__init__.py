"""The panel: a Qt window to view a plate, edit its Shot and follow its render; standalone or docked in a host.

The code that runs in a host needs Python 3.9, the standard library and the host's own Qt. Files are read, and colors
converted, by a process of the backend (see ``pictures``).
"""
