"""Cluster IPs and node ports: numbers that no two services may share, however many API servers.

Public names: `allocators.Allocators`.
"""
