"""Detection of the exposure pattern of a plate from its pixels and metadata."""
