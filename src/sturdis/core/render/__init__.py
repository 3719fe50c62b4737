"""A spec to the files that carry it."""
