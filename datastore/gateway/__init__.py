"""HTTP: etcd's JSON gateway, health, version and metrics. Calls the same tables as gRPC does."""
