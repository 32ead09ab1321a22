"""Flags: one row each (`table.FLAGS`), from which all that reads or shows them is made.

`settings.read` is the way in: command line, environment or configuration file become one checked
value for every row. Names, kinds, defaults and rules are etcd 3.6's; `config.py` gives them
meaning.
"""
