"""Counts of 0 are left out of a status where upstream leaves them out, and stated elsewhere."""

from datetime import UTC, datetime

from control_plane.controllers.deployment.progress import rollout_status
from control_plane.controllers.replication.status import Observed, status_of
from tests.control_plane.controllers.workloads import deployment, replicaset

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def test_a_replicaset_without_pods_states_replicas_only() -> None:
    owner = replicaset("ns", 3)
    owner["metadata"]["generation"] = 2
    owner["status"] = {"replicas": 3, "readyReplicas": 3, "availableReplicas": 3}

    assert status_of(owner, Observed([], terminating=0), NOW) == {
        "replicas": 0,
        "terminatingReplicas": 0,
        "observedGeneration": 2,
    }


def test_a_deployment_scaled_to_zero_states_no_counts() -> None:
    given = deployment("ns", 0)
    given["metadata"]["generation"] = 2
    given["status"] = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3}
    new = replicaset("ns", 0)
    new["status"] = {"replicas": 0, "terminatingReplicas": 0}

    status = rollout_status(given, new, [new], NOW)

    assert status.keys() == {"observedGeneration", "terminatingReplicas", "conditions"}
