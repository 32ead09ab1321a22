"""What each verb does to objects, for every resource alike.

Public names: `registry.Registry` (create, update, delete), `edit.Edit`, `reading.Reader` (get,
list, watch), `call.Call` and the option types.
"""
