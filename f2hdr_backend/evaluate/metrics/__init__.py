"""Image and video metrics that compare a result with the ground truth."""
