"""What one sync decides to do: tables of (spec, what runs, probe verdicts) → actions."""

from typing import Any

import pytest

from node.kubelet.pod_actions import PodActions, Verdicts, plan_pod
from node.kubelet.runtimes.base import ContainerRecord, PodRecord
from tests.node.builders import (
    IDENTITY,
    container,
    exited,
    nothing,
    pod,
    record,
    running,
    sandbox,
)

ALWAYS = {"restartPolicy": "Always"}
SIDE = container("side", **ALWAYS)


def starts(*names: str) -> PodActions:
    return PodActions(starts=names)


def test_a_new_pod_gets_a_sandbox_and_its_containers() -> None:
    plan = plan_pod(pod(container("a"), container("b")), nothing())
    assert plan == PodActions(create_sandbox=True, starts=("a", "b"))


def test_a_new_pod_with_init_containers_starts_only_the_first() -> None:
    plan = plan_pod(pod(initContainers=[container("i1"), container("i2")]), nothing())
    assert plan == PodActions(create_sandbox=True, starts=("i1",))


def test_a_dead_sandbox_is_replaced_and_everything_in_it_restarted() -> None:
    plan = plan_pod(pod(initContainers=[container("i")]), record(exited(code=137), alive=False))
    assert plan == PodActions(kill_pod=True, create_sandbox=True, sandbox_attempt=1, starts=("i",))


def test_what_a_removed_sandbox_left_running_is_stopped_first() -> None:
    plan = plan_pod(pod(), PodRecord(IDENTITY, [], [running()]))
    assert plan == PodActions(kill_pod=True, create_sandbox=True, starts=("main",))


def test_a_pod_that_never_restarts_gets_no_second_sandbox() -> None:
    plan = plan_pod(pod(restartPolicy="Never"), record(exited(code=137), alive=False))
    assert plan == PodActions(kill_pod=True)
    plan = plan_pod(pod(restartPolicy="Never"), PodRecord(IDENTITY, [], [running()]))
    assert plan == PodActions(kill_pod=True)


def test_a_pod_that_never_restarts_gets_one_while_nothing_of_it_has_run() -> None:
    created = ContainerRecord("main-0", "main", 0, "created")
    spec = pod(restartPolicy="Never", initContainers=[container("i")])
    plan = plan_pod(spec, record(exited("i"), created, alive=False))
    assert plan == PodActions(kill_pod=True, create_sandbox=True, sandbox_attempt=1, starts=("i",))


def test_a_container_beside_a_newer_one_of_its_name_is_stopped() -> None:
    old = running()
    plan = plan_pod(pod(), record(old, running(attempt=1)))
    assert [(kill.container, kill.cause) for kill in plan.kills] == [(old, "superseded")]
    assert not plan.starts


def test_what_succeeded_is_not_run_again_in_a_new_sandbox() -> None:
    spec = pod(container("a"), container("b"), restartPolicy="OnFailure")
    plan = plan_pod(spec, record(exited("a"), exited("b", 1), alive=False))
    assert plan.create_sandbox
    assert plan.starts == ("b",)


def test_moving_to_the_hosts_network_needs_a_new_sandbox() -> None:
    assert plan_pod(pod(hostNetwork=True), record(running())).create_sandbox


def test_a_host_network_sandbox_needs_no_address() -> None:
    seen = PodRecord(IDENTITY, [sandbox(host_network=True)], [running()])
    assert plan_pod(pod(hostNetwork=True), seen).idle()


@pytest.mark.parametrize(
    ("policy", "code", "expected"),
    [
        ("Always", 0, starts("main")),
        ("Always", 1, starts("main")),
        ("OnFailure", 0, PodActions(kill_pod=True)),
        ("OnFailure", 1, starts("main")),
        ("Never", 0, PodActions(kill_pod=True)),
        ("Never", 1, PodActions(kill_pod=True)),
    ],
)
def test_restart_policy(policy: str, code: int, expected: PodActions) -> None:
    assert plan_pod(pod(restartPolicy=policy), record(exited(code=code))) == expected


def test_one_ended_container_beside_a_running_one_stops_nothing() -> None:
    spec = pod(container("a"), container("b"), restartPolicy="Never")
    assert plan_pod(spec, record(exited("a"), running("b"))).idle()


def test_a_running_pod_has_nothing_to_do() -> None:
    assert plan_pod(pod(), record(running())).idle()


def test_a_container_that_was_created_but_never_started_is_started() -> None:
    created = ContainerRecord("c", "main", 0, "created")
    assert plan_pod(pod(), record(created)) == starts("main")


def test_a_changed_image_replaces_the_container() -> None:
    plan = plan_pod(pod(container(image="other:1")), record(running()))
    assert [kill.message for kill in plan.kills] == [
        "Container main definition changed, will be restarted"
    ]
    assert not plan.kill_pod


@pytest.mark.parametrize(
    ("policy", "message", "kills_pod"),
    [
        ("Always", "Container main failed liveness probe, will be restarted", False),
        ("Never", "Container main failed liveness probe", True),
    ],
)
def test_a_failed_liveness_probe(policy: str, message: str, kills_pod: bool) -> None:
    verdicts = Verdicts({"main-0": "liveness"}, {"main-0"})
    plan = plan_pod(pod(restartPolicy=policy), record(running()), verdicts)
    assert plan.kill_pod is kills_pod
    if not kills_pod:
        assert [kill.message for kill in plan.kills] == [message]


INITS: list[tuple[str, list[ContainerRecord], set[str], PodActions]] = [
    ("first runs", [running("i1")], set(), PodActions()),
    ("first done", [exited("i1")], set(), starts("side")),
    ("sidecar not started", [exited("i1"), running("side")], set(), PodActions()),
    ("sidecar started", [exited("i1"), running("side")], {"side-0"}, starts("i2")),
    (
        "all done",
        [exited("i1"), running("side"), exited("i2")],
        {"side-0"},
        starts("main"),
    ),
    (
        "sidecar died beside the main container",
        [exited("i1"), exited("side"), exited("i2"), running()],
        set(),
        starts("side"),
    ),
    ("first failed", [exited("i1", 1)], set(), starts("i1")),
]


@pytest.mark.parametrize(("_name", "records", "started", "expected"), INITS)
def test_init_containers_go_in_order(
    _name: str, records: list[ContainerRecord], started: set[str], expected: PodActions
) -> None:
    spec = pod(initContainers=[container("i1"), SIDE, container("i2")])
    assert plan_pod(spec, record(*records), Verdicts({}, started)) == expected


def test_a_failed_init_container_ends_a_pod_that_never_restarts() -> None:
    spec = pod(initContainers=[container("i1")], restartPolicy="Never")
    assert plan_pod(spec, record(exited("i1", 1))) == PodActions(kill_pod=True)


def test_sidecars_restart_whatever_the_pods_policy() -> None:
    spec = pod(initContainers=[SIDE], restartPolicy="Never")
    assert plan_pod(spec, record(exited("side", 1), running())) == starts("side")


@pytest.mark.parametrize(
    ("rules", "code", "expected"),
    [
        ([{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}], 42, True),
        ([{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}], 1, False),
        ([{"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [42]}}], 1, True),
    ],
)
def test_restart_rules_of_a_container(
    rules: list[dict[str, Any]], code: int, expected: bool
) -> None:
    spec = pod(container(restartPolicy="Never", restartPolicyRules=rules))
    plan = plan_pod(spec, record(exited(code=code)))
    assert ("main" in plan.starts) is expected


def test_a_new_ephemeral_container_is_started_once() -> None:
    spec = pod(ephemeralContainers=[container("debug")])
    assert plan_pod(spec, record(running())) == starts("debug")
    assert plan_pod(spec, record(running(), exited("debug", 1))).idle()
