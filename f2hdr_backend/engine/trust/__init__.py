"""Blending of a method's output with the frames it was computed from (``--reference-trust``)."""
