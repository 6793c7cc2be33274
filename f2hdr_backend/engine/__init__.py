"""From a Shot to EXR frames."""
