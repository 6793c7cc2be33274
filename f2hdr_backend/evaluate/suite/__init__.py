"""Test suites: windows with known truth that were not used for training or tuning."""
