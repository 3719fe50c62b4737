"""The append-only file as bytes: its manifest, its commands, and where it may be cut."""
