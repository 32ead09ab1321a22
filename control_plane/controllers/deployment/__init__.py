"""Deployments: roll a pod template out over ReplicaSets, one per version of the template.

`sizes.py` has the arithmetic of maxSurge and maxUnavailable, `revisions.py` which ReplicaSet is
the template's own and how revisions are numbered, `scaling.py` and `rolling.py` what size each
ReplicaSet gets, `progress.py` the status, `history.py` what old ReplicaSets to drop. All of these
are pure; `rollout.py` writes, `controller.py` puts it in order.
"""
