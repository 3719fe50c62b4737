"""Measurements against the bare tool in the same run: `make bench`."""
