"""Renders a Shot to EXR frames."""
