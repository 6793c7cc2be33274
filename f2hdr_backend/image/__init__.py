"""Reading of plates, writing of frames, and pixel formats.

Arrays are numpy, ``(H, W, 3)`` float32, row 0 at the top; this package does not use torch.
"""
