"""Nodes that go silent: their status, the taints that say so, and the pods on them.

`health.py` judges silence, `taints.py` turns a node's state into taints, `zones.py` limits how fast
whole zones are tainted (all pure); `controller.py` acts. Pods are evicted by `taint_eviction.py`.
"""
