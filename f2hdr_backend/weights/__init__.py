"""Weights on disk: their folders, digests and licenses, and the import of published checkpoints."""
