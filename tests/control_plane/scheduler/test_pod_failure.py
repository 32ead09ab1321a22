"""The status patch that tells why a pod was not scheduled."""

from control_plane.api.objects import Object
from control_plane.scheduler.framework.diagnosis import Diagnosis
from control_plane.scheduler.framework.status import broken, unschedulable
from control_plane.scheduler.pod_failure import Failure, status_patch
from tests.control_plane.scheduler.builders import pod

FAILURE = Failure("Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.")


def with_condition(**fields: object) -> Object:
    waiting = pod()
    waiting["status"]["conditions"] = [{"type": "PodScheduled", **fields}]
    return waiting


def test_the_first_failure_sets_the_condition() -> None:
    assert status_patch(pod(), FAILURE, "now") == {
        "metadata": {"uid": "uid-web"},
        "status": {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient cpu.",
                    "lastProbeTime": None,
                    "lastTransitionTime": "now",
                }
            ]
        },
    }


def test_nothing_is_written_when_the_status_says_it_already() -> None:
    known = with_condition(status="False", reason=FAILURE.reason, message=FAILURE.message)
    assert status_patch(known, FAILURE, "now") is None


def test_another_message_keeps_the_time_of_the_transition() -> None:
    known = with_condition(
        status="False", reason="Unschedulable", message="old", lastTransitionTime="then"
    )
    patch = status_patch(known, FAILURE, "now")
    assert patch
    assert patch["status"]["conditions"][0]["lastTransitionTime"] == "then"


def test_the_condition_says_which_generation_it_is_about() -> None:
    waiting = pod()
    waiting["metadata"]["generation"] = 3
    patch = status_patch(waiting, FAILURE, "now")
    assert patch
    assert patch["status"]["conditions"][0]["observedGeneration"] == 3


def test_a_nomination_is_written_when_it_changes() -> None:
    known = with_condition(status="False", reason="Unschedulable", message="m")
    failure = Failure("Unschedulable", "m", nominated_node="node-2")
    patch = status_patch(known, failure, "now")
    assert patch
    assert patch["status"] == {"nominatedNodeName": "node-2"}
    known["status"]["nominatedNodeName"] = "node-2"
    assert status_patch(known, failure, "now") is None


def test_a_diagnosis_names_the_plugins_to_wait_for() -> None:
    diagnosis = Diagnosis(1, {"a": unschedulable("NodePorts", "taken")})
    failure = Failure.from_diagnosis(diagnosis)
    assert (failure.reason, failure.rejectors) == ("Unschedulable", frozenset({"NodePorts"}))
    assert failure.message == "0/1 nodes are available: 1 taken."


def test_no_nodes_is_unschedulable_but_retried_like_an_error() -> None:
    failure = Failure.from_diagnosis(Diagnosis(0))
    assert (failure.reason, failure.rejectors) == ("Unschedulable", frozenset())


def test_a_plugin_that_broke_is_a_scheduler_error() -> None:
    failure = Failure.from_diagnosis(Diagnosis(1, {"a": broken("X", "no idea")}))
    assert (failure.reason, failure.rejectors) == ("SchedulerError", frozenset())
