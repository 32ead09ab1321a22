"""Garbage collection: objects go when their owners have gone.

`graph.py` keeps who owns whom from the informers' events, `classify.py` decides about one object
(both pure but for their own memory), `controller.py` looks up owners live and deletes.
"""
