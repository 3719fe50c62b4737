"""This machine: folders, ports, servers and processes."""
