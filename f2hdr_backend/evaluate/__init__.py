"""Scores for reconstructed radiance: the published tables' metrics, each with its parameters beside the number."""
