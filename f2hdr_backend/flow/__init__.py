"""Optical flow: the estimator interface, the estimators, and the exposures at which they see the frames."""
