"""Simulated plates: alternating exposures and sensor noise, computed from radiance images."""
