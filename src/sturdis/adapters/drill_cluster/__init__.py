"""Drills on a deployment in a cluster: its load in pods, its faults, and what undoes them."""
