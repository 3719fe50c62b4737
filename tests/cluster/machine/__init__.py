"""A real Kubernetes of three nodes on one Linux machine: docs/cluster-tier.md, docs/adr/0031.

`python -m tests.cluster.machine` is what the Makefile's cluster targets run.
"""
