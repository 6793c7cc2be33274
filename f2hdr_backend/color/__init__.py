"""Color management: the color space of a plate, conversion to scene-linear, and OCIO configs."""
