"""Hardware of this machine: devices, threads, memory limits, and parallel work."""
