"""Faults of the deployment in a cluster, under BullMQ load from other pods, with a ledger."""
