"""Readers of benchmark data sets: scenes, exposures and ground truth."""
