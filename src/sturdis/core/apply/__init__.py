"""Applying a deployment to a cluster: what is there, what stands against it, what is done."""
