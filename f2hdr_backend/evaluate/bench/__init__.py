"""What ``f2hdr bench`` measures: the engine in a moving window, the classical merge, and a plain run beside them."""
