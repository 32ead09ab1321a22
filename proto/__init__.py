"""The contracts between processes: etcd's v3 protocol as .proto files and the stubs generated from them."""
