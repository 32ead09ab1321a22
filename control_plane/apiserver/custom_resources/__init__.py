"""Custom resources in the API server: who follows definitions, judges them and ends them.

`follower` keeps the table of what is served as the watch cache of definitions is; `keeper` accepts
names, establishes definitions and deletes the objects of those that are deleted.
"""
