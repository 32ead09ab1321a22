"""Kubernetes minus the node: API server, scheduler, controllers. It reaches its store by the etcd protocol only."""
