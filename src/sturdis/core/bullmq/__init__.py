"""What BullMQ keeps in Redis, and what it needs of its clients."""
