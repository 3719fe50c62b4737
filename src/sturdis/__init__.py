"""One sturdy Redis for BullMQ: run it, prove it, and know what a fault can cost."""

__version__ = "0.1.0"
