"""The real etcdctl against every target: what an operator types, and what he reads."""
