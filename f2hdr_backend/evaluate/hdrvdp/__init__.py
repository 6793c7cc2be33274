"""HDR-VDP-2.2: the visual metric and its components."""
