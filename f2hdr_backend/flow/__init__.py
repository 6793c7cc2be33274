"""Optical flow: the estimator protocol, the estimators and the exposures they see."""
