"""Constants of the paper's equations and of the published evaluation, each defined once for numpy and torch code."""

GAMMA = 2.2
"""Exponent of the network's code values: radiance = code ** GAMMA / exposure (Eq. 1)."""
MU = 5000.0
"""Strength of the mu-law tone map (Eq. 20; the tables use the same)."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B in the luma of code values (published program)."""
DARK, BRIGHT = 0.2, 0.8
"""Luma below and above which the published evaluation does not trust a reference pixel."""
