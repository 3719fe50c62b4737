"""Ports that others know."""

REDIS_PORT = 6379
"""Where clients look for Redis: IANA's service `redis`."""
