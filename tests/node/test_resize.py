"""In-place resize: what a node grants, what it does about it, and what is shown meanwhile."""

import asyncio
import json
from typing import Any

import pytest

from control_plane.api.resources import EVENTS, PODS
from node.kubelet.containers.resources import cgroup_limits
from node.kubelet.pod_actions import PodActions, plan_pod
from node.kubelet.resize import Resizing, grant, resize_conditions, shown_resources
from node.kubelet.status.pod_status import status_patch
from tests.node.builders import container, pod, record, running
from tests.node.kubectl import Kubectl
from tests.node.stage import Stage, is_running, main_status

Object = dict[str, Any]
NODE = {"cpu": "2", "memory": "1Gi"}
SMALL = {"requests": {"cpu": "500m", "memory": "64Mi"}, "limits": {"cpu": "1"}}
LARGE = {"requests": {"cpu": "1500m", "memory": "64Mi"}, "limits": {"cpu": "1500m"}}


def resized(wanted: Object, shown: Object | None = None, **fields: Any) -> Object:
    """A pod whose container was granted `shown` and wants something else."""
    state = {"running": {"startedAt": "2026-01-02T03:04:05Z"}}
    status = {"name": "main", "state": state, "resources": shown or SMALL}
    one = container(resources=wanted, **fields)
    return pod(one, status={"phase": "Running", "containerStatuses": [status]})


def runs_with(resources: Object) -> Any:
    one = container(resources=resources)
    return running(limits=cgroup_limits(pod(one), one, 0))


def other(cpu: str) -> Object:
    return pod(container(resources={"requests": {"cpu": cpu}}), name="other")


def test_what_fits_is_granted() -> None:
    asked = resized(LARGE)
    assert grant(asked, [other("500m")], NODE) == Resizing(asked, asked=True)
    assert grant(resized(SMALL), [], NODE).asked is False


@pytest.mark.parametrize(
    ("wanted", "others", "reason", "message"),
    [
        (LARGE, ["600m"], "Deferred",
         "Node didn't have enough resource: cpu, requested: 1500, used: 600, capacity: 2000"),
        ({**SMALL, "requests": {"cpu": "3"}}, [], "Infeasible",
         "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000"),
        ({**SMALL, "requests": {"memory": "2Gi"}}, [], "Infeasible",
         "Node didn't have enough capacity: memory, requested: 2147483648, "
         "capacity: 1073741824"),
    ],
)  # fmt: skip
def test_what_does_not_fit_waits(
    wanted: Object, others: list[str], reason: str, message: str
) -> None:
    found = grant(resized(wanted), [other(cpu) for cpu in others], NODE)
    assert found.pending == (reason, message)
    (kept,) = found.pod["spec"]["containers"]
    assert kept["resources"] == SMALL
    assert plan_pod(found.pod, record(runs_with(SMALL))).idle()
    conditions = resize_conditions(found, record(runs_with(SMALL)), found.pod)
    assert conditions == {"PodResizePending": (True, reason, message)}


def test_what_others_wait_for_is_not_taken_yet() -> None:
    greedy = resized({**SMALL, "requests": {"cpu": "3"}})
    assert grant(resized(LARGE), [greedy], NODE).pending is None


def test_a_smaller_wish_is_always_granted() -> None:
    crowded = [other("2")]
    assert grant(resized({"requests": {"cpu": "100m"}}), crowded, NODE).pending is None


def test_a_granted_resize_changes_the_cgroup_of_what_runs() -> None:
    asked, runs = resized(LARGE), runs_with(SMALL)
    plan = plan_pod(asked, record(runs))
    assert (plan.starts, plan.kills) == ((), ())
    ((update,),) = (plan.updates,)
    assert (update.container, update.limits.cpu_quota) == (runs, 150_000)
    assert update.limits.oom_score_adj == runs.limits.oom_score_adj
    found = resize_conditions(Resizing(asked), record(runs), asked)
    assert found == {"PodResizeInProgress": (True, "", "")}
    (one,) = asked["spec"]["containers"]
    shown = shown_resources(asked, one, record(runs))
    assert shown == {"resources": SMALL, "allocatedResources": LARGE["requests"]}
    done = record(runs_with(LARGE))
    assert plan_pod(asked, done) == PodActions()
    assert resize_conditions(Resizing(asked), done, asked) == {}
    assert shown_resources(asked, one, done)["resources"] == LARGE


def test_a_policy_may_ask_for_a_restart() -> None:
    policy = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    plan = plan_pod(resized(LARGE, resizePolicy=policy), record(runs_with(SMALL)))
    assert plan.updates == ()
    (kill,) = plan.kills
    assert (kill.cause, kill.message) == ("resized", "Container main resize requires restart")
    other_policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    plan = plan_pod(resized(LARGE, resizePolicy=other_policy), record(runs_with(SMALL)))
    assert (len(plan.updates), plan.kills) == (1, ())


def test_what_the_runtime_objects_to_is_shown() -> None:
    asked = resized(LARGE)
    found = resize_conditions(Resizing(asked, error="too small"), record(runs_with(SMALL)), asked)
    assert found == {"PodResizeInProgress": (True, "Error", "too small")}


def test_a_condition_that_is_over_is_removed() -> None:
    pending = {"type": "PodResizePending", "status": "True"}
    foreign = {"type": "Mine", "status": "True"}
    patch = status_patch({"conditions": [pending, foreign]}, {"conditions": [foreign]})
    assert patch == {"conditions": [{"$patch": "delete", "type": "PodResizePending"}]}


def conditions(pod: Object) -> list[str]:
    return [c["type"] for c in pod["status"]["conditions"] if "Resize" in c["type"]]


def shows(cpu: str) -> Any:
    """Whether a container runs with this request, and nothing of a resize is left."""
    return lambda found: (
        main_status(found)["resources"]["requests"]["cpu"] == cpu
        and main_status(found)["allocatedResources"]["cpu"] == cpu
        and not conditions(found)
    )


async def resize(kubectl: Kubectl, cpu: str) -> None:
    wanted = {"requests": {"cpu": cpu}}
    patch = json.dumps({"spec": {"containers": [{"name": "main", "resources": wanted}]}})
    done = await kubectl.run("patch", "pod", "web", "--subresource=resize", f"--patch={patch}")
    assert done.code == 0, done.errors


@pytest.mark.parametrize("runtime_name", ["simulated"])
async def test_a_pod_is_resized_by_kubectl(stage: Stage) -> None:
    kubectl = Kubectl(stage, sockets=True)
    await stage.create(pod(container(resources={"requests": {"cpu": "100m"}})))
    before = await stage.until(is_running)
    await resize(kubectl, "200m")
    after = await stage.until(shows("200m"))
    assert main_status(after)["containerID"] == main_status(before)["containerID"]
    assert main_status(after)["restartCount"] == 0
    await resize(kubectl, "4000")
    waiting = await stage.until(conditions)
    (found,) = [c for c in waiting["status"]["conditions"] if c["type"] == "PodResizePending"]
    assert (found["status"], found["reason"]) == ("True", "Infeasible")
    assert main_status(waiting)["allocatedResources"]["cpu"] == "200m"
    await stage.stop()
    await stage.start()  # what was granted is known from the status
    await resize(kubectl, "150m")
    await stage.until(shows("150m"))
    told = set[str]()
    async with asyncio.timeout(60):
        while not {"ResizeStarted", "ResizeCompleted", "ResizeInfeasible"} <= told:
            events = await stage.client.list(EVENTS, "default")
            told = {event["reason"] for event in events["items"]}
            await stage.breathe()


@pytest.mark.parametrize("runtime_name", ["simulated"])
async def test_a_container_is_restarted_where_its_policy_says_so(stage: Stage) -> None:
    policy = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    one = container(resources={"requests": {"cpu": "100m"}}, resizePolicy=policy)
    await stage.create(pod(one))
    await stage.until(is_running)
    wanted = {"requests": {"cpu": "200m"}}
    body = {"spec": {"containers": [{"name": "main", "resources": wanted}]}}
    await stage.client.patch(PODS, "web", body, "default", subresource="resize", kind="strategic")
    after = await stage.until(lambda found: is_running(found) and shows("200m")(found))
    assert main_status(after)["restartCount"] == 1


@pytest.mark.docker
async def test_the_cgroup_of_a_running_container_changes(stage: Stage) -> None:
    kubectl = Kubectl(stage, sockets=True)
    one = container(resources={"limits": {"cpu": "500m"}}, command=["sleep", "1000"])
    await stage.create(pod(one))
    await stage.until(is_running)
    patch = {"resources": {"limits": {"cpu": "300m"}, "requests": {"cpu": "300m"}}}
    body = json.dumps({"spec": {"containers": [{"name": "main", **patch}]}})
    done = await kubectl.run("patch", "pod", "web", "--subresource=resize", f"--patch={body}")
    assert done.code == 0, done.errors
    await stage.until(shows("300m"))
    script = "cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us"
    read = await kubectl.run("exec", "web", "--", "sh", "-c", script)
    assert read.output.split()[0] == b"30000", read.errors
