"""etcd v3 messages and services; regenerate with `make proto`."""
