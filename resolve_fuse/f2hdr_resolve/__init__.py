"""F2HDR for DaVinci Resolve Studio from outside: what ``drive_resolve.py`` is made of. Python 3.9, standard library."""
