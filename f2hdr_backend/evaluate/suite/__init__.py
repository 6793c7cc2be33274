"""Test suites: windows with known truth that no training and no choice of a constant used."""
