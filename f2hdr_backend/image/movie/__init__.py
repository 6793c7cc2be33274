"""Movies: decoding, encoding, and the container boxes that PyAV does not expose."""
