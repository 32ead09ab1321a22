"""Kubernetes' own client library in Go, against our API server, in protobuf."""
