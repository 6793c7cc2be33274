"""Metrics of reconstructed radiance, as in the published tables; each score includes its parameters."""
