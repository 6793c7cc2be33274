"""Color spaces: what space a plate is in, conversion to scene-linear, and the OCIO configs."""
