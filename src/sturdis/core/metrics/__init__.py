"""Metrics as Prometheus reads them: of the server, of BullMQ's queues, and their text."""
