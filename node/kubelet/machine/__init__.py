"""The Node object: what the machine is, how it does, and that it is alive."""
