"""ReplicaSets and ReplicationControllers: keep a number of equal pods. One code for both kinds.

`kinds.py` says where they differ, `plan.py` what to create and delete, `ranking.py` which pods go
first, `status.py` what to report, `controller.py` does it.
"""
