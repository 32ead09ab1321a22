"""A pod's status, computed from its spec and what the runtime and the probes show. Pure."""
