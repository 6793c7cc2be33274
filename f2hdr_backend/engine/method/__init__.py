"""Reconstruction methods: from a window of aligned frames to radiance, on a device."""
