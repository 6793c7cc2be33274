"""Readers of benchmark datasets: scenes, exposures and ground truth."""
