"""Kubernetes' own tests of its storage layer, run on our datastore."""
