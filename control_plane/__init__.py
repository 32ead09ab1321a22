"""Kubernetes minus the node: API server, scheduler, controllers, over the etcd protocol only."""
