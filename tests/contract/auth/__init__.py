"""Users, roles, ranges and tokens, against every backend of ours and a real etcd."""
