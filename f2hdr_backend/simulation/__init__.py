"""Simulated plates: alternating exposures and sensor noise, shot from radiance images."""
