"""Breaking the deployment on purpose, and the ledger that accounts for every job meanwhile."""
