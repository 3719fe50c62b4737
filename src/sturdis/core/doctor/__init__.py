"""What is wrong with a deployment in a cluster, told from facts: causes, ranked, with a way out."""
