"""A pod's status from what runs: phase, conditions, container states, and what is sent of it."""

from typing import Any

import pytest

from node.kubelet.container_start import next_attempt
from node.kubelet.runtimes.base import ContainerRecord, PodRecord
from node.kubelet.status.container_status import Observation, WaitReason
from node.kubelet.status.pod_status import pod_status, status_patch
from tests.node.builders import container, exited, nothing, pod, record, running

NOW = "2026-01-02T04:00:00Z"
HOST = ["192.0.2.1"]
CRASH = WaitReason("CrashLoopBackOff", "back-off 10s restarting failed container=main")


def status_of(
    spec: dict[str, Any],
    seen: PodRecord,
    *,
    passed: tuple[str, ...] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """The status when the probes of `passed` (default: of all that runs) have passed."""
    alive = frozenset(c.id for c in seen.containers if c.phase == "running")
    ids = alive if passed is None else frozenset(passed)
    observation = Observation(seen, started=ids, ready=ids, **fields)
    return pod_status(spec, observation, host_ips=HOST, now=NOW)


def condition(status: dict[str, Any], kind: str) -> tuple[str, str, str]:
    found = next(c for c in status["conditions"] if c["type"] == kind)
    return found["status"], found.get("reason", ""), found.get("message", "")


def main_state(status: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = status["containerStatuses"][0]["state"]
    return state


PHASES: list[tuple[str, dict[str, Any], list[ContainerRecord], str]] = [
    ("nothing yet", {}, [], "Pending"),
    ("runs", {}, [running()], "Running"),
    ("one of two runs", {"two": True}, [running()], "Pending"),
    ("ended, restarts", {}, [exited(code=1)], "Running"),
    ("ended well, never restarts", {"restartPolicy": "Never"}, [exited()], "Succeeded"),
    ("ended badly, never restarts", {"restartPolicy": "Never"}, [exited(code=1)], "Failed"),
    ("ended badly, on failure", {"restartPolicy": "OnFailure"}, [exited(code=1)], "Running"),
    ("ended well, on failure", {"restartPolicy": "OnFailure"}, [exited()], "Succeeded"),
    ("init runs", {"initContainers": [container("i")]}, [running("i")], "Pending"),
    ("init failed, restarts", {"initContainers": [container("i")]}, [exited("i", 1)], "Pending"),
    (
        "init failed for good",
        {"initContainers": [container("i")], "restartPolicy": "Never"},
        [exited("i", 1)],
        "Failed",
    ),
]


@pytest.mark.parametrize(("_name", "spec", "records", "phase"), PHASES)
def test_phase(
    _name: str, spec: dict[str, Any], records: list[ContainerRecord], phase: str
) -> None:
    fields = {k: v for k, v in spec.items() if k != "two"}
    containers = [container(), container("b")] if "two" in spec else [container()]
    seen = record(*records) if records else nothing()
    assert status_of(pod(*containers, **fields), seen)["phase"] == phase


def test_a_final_phase_never_changes_back() -> None:
    spec = pod(status={"phase": "Failed"})
    assert status_of(spec, record(running()))["phase"] == "Failed"


def test_a_final_phase_waits_until_nothing_runs() -> None:
    spec = pod(
        initContainers=[container("side", restartPolicy="Always")],
        restartPolicy="Never",
        status={"phase": "Running"},
    )
    assert status_of(spec, record(exited(), running("side")))["phase"] == "Running"


def test_deadline_is_shown_once_all_has_stopped() -> None:
    failure = ("DeadlineExceeded", "Pod was active on the node longer than allowed")
    status = status_of(pod(), record(exited(code=137)), failure=failure, stopped=True)
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", *failure)


def test_conditions_of_a_ready_pod() -> None:
    status = status_of(pod(), record(running()))
    for kind in (
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ):
        assert condition(status, kind) == ("True", "", "")
    assert status["conditions"][0]["observedGeneration"] == 1


def test_conditions_of_an_unready_pod() -> None:
    status = status_of(pod(), record(running()), passed=())
    expected = ("False", "ContainersNotReady", "containers with unready status: [main]")
    assert condition(status, "ContainersReady") == expected
    assert condition(status, "Ready") == expected


def test_conditions_of_a_failing_init_container() -> None:
    spec = pod(initContainers=[container("init1"), container("init2")])
    status = status_of(spec, record(exited("init1", 1)))
    assert condition(status, "Initialized") == (
        "False",
        "ContainersNotInitialized",
        "containers with incomplete status: [init1 init2]",
    )
    assert main_state(status) == {"waiting": {"reason": "PodInitializing"}}


def test_conditions_of_a_completed_pod() -> None:
    status = status_of(pod(restartPolicy="Never"), record(exited(), alive=False), stopped=True)
    assert condition(status, "Ready") == ("False", "PodCompleted", "")
    assert condition(status, "Initialized")[:2] == ("True", "PodCompleted")


@pytest.mark.parametrize(
    ("gates", "status", "message"),
    [
        ([], "False", 'corresponding condition of pod readiness gate "x/y" does not exist.'),
        (
            [{"type": "x/y", "status": "False"}],
            "False",
            'the status of pod readiness gate "x/y" is not "True", but False',
        ),
        ([{"type": "x/y", "status": "True"}], "True", ""),
    ],
)
def test_readiness_gates(gates: list[dict[str, str]], status: str, message: str) -> None:
    spec = pod(
        readinessGates=[{"conditionType": "x/y"}],
        status={"phase": "Running", "conditions": gates},
    )
    found = condition(status_of(spec, record(running())), "Ready")
    assert (found[0], found[2]) == (status, message)


def test_transition_time_changes_only_with_the_status() -> None:
    old = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    spec = pod(status={"phase": "Running", "conditions": [old]})
    times = {
        c["type"]: c["lastTransitionTime"] for c in status_of(spec, record(running()))["conditions"]
    }
    assert times["Ready"] == "2026-01-01T00:00:00Z"
    assert times["Initialized"] == NOW


def test_a_new_container_waits_to_be_created() -> None:
    status = status_of(pod(), nothing())
    assert main_state(status) == {"waiting": {"reason": "ContainerCreating"}}
    assert status["containerStatuses"][0]["image"] == "tapir-test/busybox:1"


def test_a_running_container() -> None:
    entry = status_of(pod(), record(running(attempt=2)))["containerStatuses"][0]
    assert entry["state"] == {"running": {"startedAt": "2026-01-02T03:04:05Z"}}
    assert (entry["restartCount"], entry["ready"], entry["started"]) == (2, True, True)
    assert entry["containerID"] == "docker://main-2"


def test_the_resources_that_a_container_has_are_shown() -> None:
    resources = {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
    spec = pod(containers=[container("main", resources=resources)])
    status = status_of(spec, record(running()))["containerStatuses"][0]
    assert (status["resources"], status["allocatedResources"]) == (resources, {"cpu": "1"})
    status = status_of(pod(), record(running()))["containerStatuses"][0]
    assert status["resources"] == {}
    assert "allocatedResources" not in status


def test_a_crash_loop_shows_what_happened_last() -> None:
    seen = record(exited(code=3, attempt=1), exited(code=2, attempt=0))
    entry = status_of(pod(), seen, reasons={"main": CRASH})["containerStatuses"][0]
    assert entry["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": "back-off 10s restarting failed container=main",
    }
    assert entry["lastState"]["terminated"]["exitCode"] == 3
    assert entry["restartCount"] == 1


def test_the_container_before_is_the_last_state() -> None:
    seen = record(running(attempt=1), exited(code=2, attempt=0))
    entry = status_of(pod(), seen, reasons={"main": CRASH})["containerStatuses"][0]
    assert "running" in entry["state"]
    assert entry["lastState"]["terminated"]["exitCode"] == 2


def test_a_container_that_will_not_restart_stays_terminated() -> None:
    spec = pod(restartPolicy="Never")
    assert "terminated" in main_state(
        status_of(spec, record(exited(code=1)), reasons={"main": CRASH})
    )


def test_last_words_are_cut_to_the_pods_share() -> None:
    status = status_of(
        pod(container(), container("b"), restartPolicy="Never"),
        record(exited(message="engine")),
        messages={"main-0": "x" * 20000},
    )
    message = next(s for s in status["containerStatuses"] if s["name"] == "main")["state"][
        "terminated"
    ]["message"]
    assert message == ("engine: " + "x" * 20000)[: 12288 // 2]


def test_a_container_that_vanished_is_reported_lost() -> None:
    before = {"name": "main", "state": {"running": {"startedAt": NOW}}, "restartCount": 1}
    spec = pod(status={"phase": "Running", "containerStatuses": [before]})
    state = main_state(status_of(spec, nothing(), stopped=True))
    assert state["terminated"]["reason"] == "ContainerStatusUnknown"
    assert state["terminated"]["exitCode"] == 137


def test_a_container_that_vanished_while_the_pod_goes_on_is_counted_once() -> None:
    before = status_of(pod(), record(running(attempt=1)))
    spec = pod(status=before)
    for _ in range(2):
        spec = pod(status=status_of(spec, record()))
        entry = spec["status"]["containerStatuses"][0]
        assert entry["state"] == {"waiting": {"reason": "ContainerCreating"}}
        assert entry["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"
        assert (entry["restartCount"], entry["ready"]) == (2, False)
        assert next_attempt(spec, record(), "main") == 2
    assert spec["status"]["phase"] == "Running"
    after = status_of(spec, record(running(attempt=2)))["containerStatuses"][0]
    assert after["lastState"]["terminated"]["exitCode"] == 137


def test_how_the_predecessor_ended_stays_known_when_it_is_removed() -> None:
    before = status_of(pod(), record(exited(code=3)))
    after = status_of(pod(status=before), record(running(attempt=1)))["containerStatuses"][0]
    assert after["lastState"] == before["containerStatuses"][0]["state"]


def test_how_a_container_ended_stays_known_when_it_is_removed() -> None:
    before = status_of(pod(restartPolicy="Never"), record(exited(code=3)))
    after = status_of(pod(restartPolicy="Never", status=before), nothing(), stopped=True)
    assert after["containerStatuses"] == before["containerStatuses"]


def test_addresses() -> None:
    assert status_of(pod(), record(running()))["podIPs"] == [{"ip": "10.88.0.2"}]
    host = status_of(pod(hostNetwork=True), record(running()))
    assert (host["podIP"], host["hostIP"]) == ("192.0.2.1", "192.0.2.1")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "0"}}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        (
            {
                "limits": {"cpu": "1", "memory": "1Gi"},
                "requests": {"cpu": "1000m", "memory": "1Gi"},
            },
            "Guaranteed",
        ),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: dict[str, Any], expected: str) -> None:
    assert status_of(pod(container(resources=resources)), nothing())["qosClass"] == expected


def test_an_unchanged_status_sends_nothing() -> None:
    status = status_of(pod(), record(running()))
    again = status_of(pod(status=status), record(running()))
    assert status_patch(status, again) == {}


def test_a_patch_sends_only_what_changed() -> None:
    before = status_of(pod(), record(running()), passed=())
    before["conditions"].append({"type": "x/y", "status": "True"})
    patch = status_patch(before, status_of(pod(status=before), record(running())))
    assert set(patch) == {"containerStatuses", "conditions"}
    changed = {c["type"]: c for c in patch["conditions"]}
    assert set(changed) == {"Ready", "ContainersReady"}
    assert changed["Ready"]["reason"] is None  # what went away is deleted by name


def test_a_new_address_deletes_the_old_one() -> None:
    patch = status_patch({"podIPs": [{"ip": "10.0.0.1"}]}, {"podIPs": [{"ip": "10.0.0.2"}]})
    assert patch["podIPs"] == [{"ip": "10.0.0.2"}, {"$patch": "delete", "ip": "10.0.0.1"}]
