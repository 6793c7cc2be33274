"""Blending of a method's result with the frames it was computed from (``--reference-trust``)."""
