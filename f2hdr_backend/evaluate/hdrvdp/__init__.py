"""HDR-VDP-2.2: the visual metric and the parts it is made of."""
