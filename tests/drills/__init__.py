"""Drills: the deployment is broken on purpose, under load, and every job is accounted for."""
