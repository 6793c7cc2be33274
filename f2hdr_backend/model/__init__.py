"""The network: tensors in, tensors out. It knows no path, no EXR and no EV."""
