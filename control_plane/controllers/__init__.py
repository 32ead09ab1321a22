"""Level-triggered controllers on one shared runtime; CONTROLLERS, in `table.py`, lists them.

`runtime.py`, `sources.py` and `cluster.py` are what every controller is written with;
`expectations.py`, `ownership.py` and `pod_control.py` what those that own pods share.
"""
