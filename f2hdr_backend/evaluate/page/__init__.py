"""HTML pages that compare renders frame by frame."""
