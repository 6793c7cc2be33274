"""Implements ``f2hdr bench``: measures the network, the classical merge, and a plain implementation of the network."""
