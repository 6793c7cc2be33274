"""Pixels: plates read, frames written, colors converted.

Arrays are numpy, ``(H, W, 3)`` float32, row 0 at the top; nothing here knows torch.
"""
