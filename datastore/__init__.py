"""An etcd v3 server over one SQL database; it knows nothing of Kubernetes."""
