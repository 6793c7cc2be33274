"""The picture process: reads plates and results, and draws the pictures of the panel's viewer. No Qt, no torch.

It runs in the backend's interpreter, so that the host needs neither numpy nor OpenColorIO and its user interface never
blocks.
"""
