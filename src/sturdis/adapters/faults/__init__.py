"""Faults, one file for each family: how each is injected and undone on a target."""
