"""Render farms: a settled Shot as a job, in chunks; one module an engine."""
