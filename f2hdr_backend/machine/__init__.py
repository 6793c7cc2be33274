"""What this machine offers: devices, threads, memory limits, and reading ahead."""
