"""Weights on disk: where they live, their digests and licenses, and the import of published checkpoints."""
