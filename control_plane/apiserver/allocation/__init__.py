"""Cluster IPs and node ports: numbers that no two services may share, however many API servers.

Public names: `allocators.Allocators`. What a service needs is chosen here and written in one
transaction with the service itself: either all of it is there, or nothing. Why: see
docs/decisions/allocation.md.
"""
