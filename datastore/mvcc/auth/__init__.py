"""Who may do what: etcd's users, roles, ranges and tokens. Pure but for passwords and keys.

The state is in the database, shared by all servers; `Authority` is one revision of it in memory and
answers every question. `Guard` keeps the newest authority of a server, and checks a request against
the one of the snapshot or batch that the request itself sees, so that what any server takes away
counts from the next request on.
"""
