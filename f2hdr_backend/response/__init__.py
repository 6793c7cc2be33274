"""Camera response: recovered from frames of one scene at known exposure ratios, with a measure of its quality."""
