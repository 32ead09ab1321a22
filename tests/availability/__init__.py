"""Several API servers over one datastore behind a balancer: one is killed under load, and a judge
looks at everything that clients were told.
"""
