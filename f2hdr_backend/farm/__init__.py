"""Render farms: a settled Shot as a job, split into chunks; one module per scheduler."""
