"""What objects use of quotas, which quotas count them, and what an amount is written as."""

import datetime
from typing import Any

import pytest

from control_plane.api.quota.amounts import Usage, total
from control_plane.api.quota.charging import Quota, QuotaRefusal, Write, additions
from control_plane.api.quota.countables import countable
from control_plane.api.quota.scopes import Scope, claim_in_scope, pod_in_scope
from control_plane.api.quota.tally import usage_of

Object = dict[str, Any]
NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def container(name: str = "c", requests: Object | None = None, **more: Any) -> Object:
    limits = more.pop("limits", {})
    return {"name": name, "resources": {"requests": requests or {}, "limits": limits}, **more}


def pod(*containers: Object, **spec: Any) -> Object:
    status = spec.pop("status", {})
    metadata = spec.pop("metadata", {})
    own = {"containers": list(containers) or [container()], **spec}
    return {"metadata": metadata, "spec": own, "status": status}


def shown(plural: str, obj: Object, group: str = "") -> dict[str, str]:
    row = countable(group, plural)
    assert row is not None
    usage = row.usage(obj, NOW)
    return {name: usage.shown(name) for name in usage.amounts}


CPU_MEMORY = {"cpu": "250m", "memory": "64Mi"}
POD_USAGE = [
    pytest.param(
        pod(container("a", CPU_MEMORY, limits={"cpu": "1"}), container("b", CPU_MEMORY)),
        {
            "count/pods": "1", "pods": "1", "cpu": "500m", "requests.cpu": "500m",
            "memory": "128Mi", "requests.memory": "128Mi", "limits.cpu": "1",
        },
        id="containers run together",
    ),
    pytest.param(
        pod(
            container("a", {"cpu": "1"}),
            initContainers=[
                container("side", {"cpu": "1"}, restartPolicy="Always"),
                container("first", {"cpu": "5"}),
            ],
            overhead={"cpu": "100m"},
        ),
        {"count/pods": "1", "pods": "1", "cpu": "6100m", "requests.cpu": "6100m"},
        id="the largest moment counts, with the overhead",
    ),
    pytest.param(
        pod(container("a", {"cpu": "1"}), resources={"requests": {"cpu": "300m"}}),
        {"count/pods": "1", "pods": "1", "cpu": "300m", "requests.cpu": "300m"},
        id="what the pod itself requests replaces the sum",
    ),
    pytest.param(
        pod(container("a", {"example.com/gpu": "2", "hugepages-2Mi": "4Mi"})),
        {
            "count/pods": "1", "pods": "1", "requests.example.com/gpu": "2",
            "hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "4Mi",
        },
        id="devices by requests alone, huge pages by both names",
    ),
    pytest.param(
        pod(container("a", CPU_MEMORY), status={"phase": "Succeeded"}),
        {"count/pods": "1"},
        id="an ended pod is an object, and no more",
    ),
    pytest.param(
        pod(
            container("a", CPU_MEMORY),
            metadata={
                "deletionTimestamp": "2026-01-01T23:59:00Z",
                "deletionGracePeriodSeconds": 30,
            },
        ),
        {"count/pods": "1"},
        id="so is one that is overdue",
    ),
    pytest.param(
        pod(
            container("a", {"cpu": "1"}),
            status={
                "containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "2"}}]
            },
        ),
        {"count/pods": "1", "pods": "1", "cpu": "2", "requests.cpu": "2"},
        id="what a node has granted counts while a resize is under way",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("obj", "expected"), POD_USAGE)
def test_a_pod_uses(obj: Object, expected: dict[str, str]) -> None:
    assert shown("pods", obj) == expected


def service(kind: str, *ports: Object, **spec: Any) -> Object:
    return {"spec": {"type": kind, "ports": list(ports), **spec}}


@pytest.mark.parametrize(
    ("obj", "node_ports", "balancers"),
    [
        (service("ClusterIP", {"port": 1}), "0", "0"),
        (service("NodePort", {"port": 1}, {"port": 2}), "2", "0"),
        (service("LoadBalancer", {"port": 1}, {"port": 2}), "2", "1"),
        (
            service(
                "LoadBalancer",
                {"port": 1, "nodePort": 30001},
                {"port": 2},
                allocateLoadBalancerNodePorts=False,
            ),
            "1",
            "1",
        ),
    ],
)
def test_a_service_uses(obj: Object, node_ports: str, balancers: str) -> None:
    assert shown("services", obj) == {
        "count/services": "1",
        "services": "1",
        "services.nodeports": node_ports,
        "services.loadbalancers": balancers,
    }


def test_a_volume_claim_uses_storage_of_its_class_in_whole_bytes() -> None:
    claim: Object = {
        "spec": {"storageClassName": "gold", "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"allocatedResources": {"storage": "2Gi"}},
    }
    assert shown("persistentvolumeclaims", claim) == {
        "count/persistentvolumeclaims": "1",
        "persistentvolumeclaims": "1",
        "requests.storage": "2Gi",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "gold.storageclass.storage.k8s.io/requests.storage": "2Gi",
    }
    claim["spec"]["resources"] = {"requests": {"storage": "1500m"}}
    claim["status"] = {}
    assert shown("persistentvolumeclaims", claim)["requests.storage"] == "2"


def test_a_device_claim_uses_devices_by_class() -> None:
    exactly = {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 3}
    every = {"deviceClassName": "nic", "allocationMode": "All"}
    alternatives = [
        {"deviceClassName": "gpu", "count": 1},
        {"deviceClassName": "gpu", "count": 4},
        {"deviceClassName": "tpu"},
    ]
    requests = [{"exactly": exactly}, {"exactly": every}, {"firstAvailable": alternatives}]
    claim = {"spec": {"devices": {"requests": requests}}}
    assert shown("resourceclaims", claim, "resource.k8s.io") == {
        "count/resourceclaims.resource.k8s.io": "1",
        "gpu.deviceclass.resource.k8s.io/devices": "7",
        "nic.deviceclass.resource.k8s.io/devices": "32",
        "tpu.deviceclass.resource.k8s.io/devices": "1",
    }


def test_other_objects_use_their_number_and_four_kinds_an_old_name_too() -> None:
    assert shown("deployments", {}, "apps") == {"count/deployments.apps": "1"}
    assert shown("widgets", {}, "example.com") == {"count/widgets.example.com": "1"}
    assert shown("secrets", {}) == {"count/secrets": "1", "secrets": "1"}
    assert countable("", "events") is None


@pytest.mark.parametrize(
    ("used", "added", "binary", "expected"),
    [
        ("0", 1024 * 1024 * 1000, True, "1Mi"),
        ("0", 1500, False, "1500m"),
        ("1G", 10**9 * 1000, True, "2G"),
        ("512Mi", 512 * 1024 * 1024 * 1000, False, "1Gi"),
    ],
)
def test_a_total_is_written_as_its_first_part(
    used: str, added: int, binary: bool, expected: str
) -> None:
    usage = Usage({"x": added}, frozenset({"x"} if binary else ()))
    assert total(used, usage, "x") == expected


CROSSING: Object = {
    "podAntiAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"podAffinityTerm": {"namespaceSelector": {}}}
        ]
    }
}


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [
        (Scope("Terminating"), pod(activeDeadlineSeconds=0), pod()),
        (Scope("NotTerminating"), pod(), pod(activeDeadlineSeconds=1)),
        (Scope("BestEffort"), pod(), pod(container("a", {"cpu": "1"}))),
        (Scope("NotBestEffort"), pod(container("a", {"cpu": "1"})), pod()),
        (Scope("PriorityClass"), pod(priorityClassName="high"), pod()),
        (
            Scope("PriorityClass", "In", ("high",)),
            pod(priorityClassName="high"),
            pod(priorityClassName="low"),
        ),
        (Scope("PriorityClass", "NotIn", ("high",)), pod(), pod(priorityClassName="high")),
        (Scope("PriorityClass", "DoesNotExist"), pod(), pod(priorityClassName="high")),
        (Scope("CrossNamespacePodAffinity"), pod(affinity=CROSSING), pod()),
    ],
    ids=lambda value: value.name + value.operator if isinstance(value, Scope) else "",
)
def test_pods_are_in_a_scope(scope: Scope, inside: Object, outside: Object) -> None:
    assert pod_in_scope(inside, scope)
    assert not pod_in_scope(outside, scope)


def test_claims_are_in_the_scope_of_any_class_that_they_have_or_get() -> None:
    claim = {"spec": {}, "status": {"currentVolumeAttributesClassName": "gold"}}
    assert claim_in_scope(claim, Scope("VolumeAttributesClass", "In", ("gold",)))
    assert not claim_in_scope({}, Scope("VolumeAttributesClass", "In", ("gold",)))
    assert not claim_in_scope(claim, Scope("BestEffort"))


def quota(hard: Object, used: Object | None = None, scopes: tuple[Scope, ...] = ()) -> Quota:
    return Quota("q", hard, dict.fromkeys(hard, "0") if used is None else used, scopes)


def write(plural: str, new: Object, old: Object | None = None) -> Write:
    row = countable("", plural)
    assert row is not None
    return Write(row, new, old, NOW)


def charges(quotas: list[Quota], asked: Write) -> Object:
    """What the quotas show as used after a write that they count."""
    by_name = {one.name: one for one in quotas}
    added = additions(quotas, asked)
    return {name: by_name[name].charged(usage).settled().used for name, usage in added.items()}


def test_what_is_repaid_is_as_it_was() -> None:
    counted = quota({"pods": "9", "memory": "1Gi"}, {"pods": "1", "memory": "1536Mi"})
    one = pod(container("a", {"memory": "64Mi"}))
    added = additions([counted], Write(*write("pods", one)[:4], may_exceed=True))["q"]
    charged = counted.charged(added)
    assert charged.settled().used == {"pods": "2", "memory": "1600Mi"}
    assert charged.repaid(added).settled() == counted
    assert charged.settled().repaid(added).settled() == counted
    fewer = quota({"pods": "9"}, {"pods": "2"})
    assert fewer.repaid(added).settled().used == {"pods": "1"}


def test_sums_are_written_as_their_first_operand_that_is_not_zero() -> None:
    counted = quota({"memory": "9Gi", "cpu": "9"}, {"memory": "0", "cpu": "1000m"})
    small, large = (Usage({"memory": amount * 1000}) for amount in (1024, 2048))
    binary = Usage({"memory": (16 << 30) * 1000}, frozenset({"memory"}))
    assert counted.charged(binary).charged(small).settled().used["memory"] == "16777217Ki"
    assert counted.charged(small).charged(large).settled().used == {
        "memory": "3072",
        "cpu": "1000m",
    }
    assert counted.charged(small).charged(binary).settled().used["memory"] == "17179870208"


def test_a_pod_that_comes_into_a_scope_is_charged_in_full() -> None:
    old, new = pod(container("a", CPU_MEMORY)), pod(container("a", CPU_MEMORY))
    new["spec"]["activeDeadlineSeconds"] = 5
    terminating = quota({"pods": "1", "cpu": "1"}, scopes=(Scope("Terminating"),))
    assert charges([terminating], write("pods", new, old)) == {"q": {"pods": "1", "cpu": "250m"}}
    everything = quota({"pods": "1"})
    assert charges([everything], write("pods", new, old)) == {}


def test_only_what_grows_is_charged() -> None:
    old = service("LoadBalancer", {"port": 1})
    new = service("NodePort", {"port": 1}, {"port": 2})
    counted = quota({"services.loadbalancers": "1", "services.nodeports": "9"})
    assert charges([counted], write("services", new, old)) == {
        "q": {"services.loadbalancers": "0", "services.nodeports": "1"}
    }


def test_negative_usage_is_refused() -> None:
    with pytest.raises(QuotaRefusal, match=r"quota usage is negative for resource\(s\): cpu,"):
        charges([quota({"cpu": "1"})], write("pods", pod(container("a", {"cpu": "-1"}))))


def test_a_pod_with_resources_of_its_own_need_not_name_those_of_its_containers() -> None:
    own = pod(resources={"requests": {"cpu": "1"}})
    assert charges([quota({"cpu": "1"})], write("pods", own)) == {"q": {"cpu": "1"}}


def test_a_tally_adds_up_what_is_in_scope() -> None:
    row = countable("", "pods")
    assert row is not None
    pods = [pod(container("a", CPU_MEMORY)), pod(container("a", CPU_MEMORY)), pod()]
    scopes = (Scope("NotBestEffort"),)
    found = usage_of(row, ["pods", "memory", "services"], scopes, pods, NOW)
    assert found == {"pods": "2", "memory": "128Mi"}
