"""The published benchmark: its protocol, its tables, and our rows beside them."""
