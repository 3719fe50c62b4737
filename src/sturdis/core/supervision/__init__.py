"""What `up` does next, as a kubelet would: events in, actions out, nothing is done here."""
