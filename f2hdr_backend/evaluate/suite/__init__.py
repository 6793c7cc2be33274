"""Synthetic test suites: windows with known truth, drawn by the training's generator."""
