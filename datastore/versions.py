"""The etcd whose behaviour this is: what clients, operators and metrics are told.

Clients gate features by it (Kubernetes asks Status before it relies on progress notifications), so
it changes only together with the behaviour.
"""

SERVER_VERSION = "3.6.14"
STORAGE_VERSION = "3.6.0"
CLUSTER_VERSION = (3, 6)
