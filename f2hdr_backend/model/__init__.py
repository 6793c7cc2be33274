"""The network: tensors in, tensors out. It does not depend on paths, file formats or EVs."""
