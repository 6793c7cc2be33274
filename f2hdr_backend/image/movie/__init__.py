"""Movies: decoding, encoding, and container boxes that PyAV does not support."""
