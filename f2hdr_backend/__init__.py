"""F2HDR: scene-linear HDR frames from footage shot with alternating exposures."""

__version__ = "0.1.0"
