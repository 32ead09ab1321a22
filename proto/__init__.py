"""The contracts between processes: etcd's v3 protocol, and the stubs generated from it."""
