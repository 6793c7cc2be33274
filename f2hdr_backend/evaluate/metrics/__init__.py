"""Image and video metrics between a result and the ground truth."""
