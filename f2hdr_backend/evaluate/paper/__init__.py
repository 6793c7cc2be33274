"""The published benchmark: its protocol, its tables, and the scores of this implementation."""
