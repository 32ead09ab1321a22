"""Endpoints: for each service with a selector, the addresses and ports of the pods behind it.

`backing_pods.py` and `trigger_time.py` are shared with the endpointslice controller; `subsets.py`
is the pure half of this one, `controller.py` writes.
"""
