"""What a node refuses, by name, before anything is started."""

from typing import Any

import pytest

from node.kubelet.admission import Admission, pod_request, rejection
from tests.node.builders import container, pod
from tests.node.stage import Stage

NODE = {"cpu": "2", "memory": "1Gi", "pods": "2", "ephemeral-storage": "10"}


def requests(**amounts: str) -> dict[str, Any]:
    return container(resources={"requests": amounts})


def judged(spec: dict[str, Any], *others: dict[str, Any]) -> tuple[str, str] | None:
    return rejection(Admission(spec, others, NODE))


@pytest.mark.parametrize(
    ("spec", "reason", "text"),
    [
        ({"os": {"name": "windows"}}, "PodOSNotSupported", "doesn't match node OS"),
        ({"hostUsers": False}, "PodFeatureUnsupported", "spec.hostUsers=false"),
        ({"runtimeClassName": "kata"}, "PodFeatureUnsupported", "spec.runtimeClassName=kata"),
        (
            {"securityContext": {"supplementalGroupsPolicy": "Strict"}},
            "SupplementalGroupsPolicyNotSupported",
            "Strict",
        ),
        (
            {"securityContext": {"sysctls": [{"name": "kernel/msgmax", "value": "1"}]}},
            "SysctlForbidden",
            'forbidden sysctl: "kernel.msgmax" not allowlisted',
        ),
        (
            {
                "hostNetwork": True,
                "securityContext": {"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]},
            },
            "SysctlForbidden",
            '"net.ipv4.tcp_rmem" not allowed with host net enabled',
        ),
    ],
)
def test_what_the_node_cannot_do(spec: dict[str, Any], reason: str, text: str) -> None:
    found = judged(pod(**spec))
    assert found is not None
    assert found[0] == reason
    assert text in found[1]


def test_an_ordinary_pod_is_taken() -> None:
    sysctls = [{"name": "kernel.shm_rmid_forced", "value": "1"}]
    assert judged(pod(securityContext={"sysctls": sysctls}, os={"name": "linux"})) is None


def test_resources() -> None:
    assert judged(pod(requests(cpu="2", memory="1Gi"))) is None
    used = pod(requests(cpu="1500m"))
    assert judged(pod(requests(cpu="1")), used) == (
        "OutOfcpu",
        "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000",
    )
    ended = pod(requests(cpu="1500m"), status={"phase": "Failed"})
    assert judged(pod(requests(cpu="1")), ended) is None
    full = judged(pod(), pod(), pod())
    assert full is not None
    assert full[0] == "OutOfpods"


def test_what_a_pod_requests() -> None:
    def one(name: str, cpu: str, **fields: Any) -> dict[str, Any]:
        return container(name, resources={"requests": {"cpu": cpu}}, **fields)

    inits = [one("side", "1", restartPolicy="Always"), one("big", "5"), one("small", "1")]
    spec = pod(one("a", "1"), one("b", "2"), initContainers=inits, overhead={"cpu": "100m"})
    assert pod_request(spec, "cpu") == 6100
    spec["spec"]["initContainers"].pop(1)
    assert pod_request(spec, "cpu") == 4100
    spec["spec"]["resources"] = {"requests": {"cpu": "3"}}
    assert pod_request(spec, "cpu") == 3100


@pytest.mark.parametrize("runtime_name", ["simulated"])
async def test_a_rejected_pod_fails_with_the_reason(stage: Stage) -> None:
    await stage.create(pod(hostUsers=False))
    status = (await stage.until(lambda p: p["status"]["phase"] == "Failed"))["status"]
    assert status["reason"] == "PodFeatureUnsupported"
    assert status["message"] == (
        "Pod was rejected: spec.hostUsers=false is not supported by this node"
    )
