"""Growing the volume of a deployment that runs: what stands against it, what is done, in values."""
