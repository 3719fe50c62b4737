"""A damaged append-only file: what of it is kept, and what follows for BullMQ's jobs."""
