"""The picture process: reads plates and results, and draws what the panel's viewer shows. No Qt, no torch.

It runs in the backend's interpreter, so that a host needs neither numpy nor OpenColorIO and its window never waits.
"""
