"""Counts in the status of workloads: those that are 0 are left out, as upstream's encoder does.

ReplicaSets and ReplicationControllers always state `replicas`; `terminatingReplicas` and
`collisionCount`, which tell 0 from not counted, are stated whenever they are known. Pure. Source:
the omitempty tags of apps/v1 and core/v1, v1.35.
"""


def nonzero(**counts: int) -> dict[str, int]:
    """Return the counts that are not 0."""
    return {name: count for name, count in counts.items() if count}
