"""Limits, privileges and the files every container gets."""

from pathlib import Path
from typing import Any

import pytest

from node.kubelet.containers.hosts_file import host_network_hosts, pod_hosts
from node.kubelet.containers.resolv_conf import parse_resolv_conf, pod_dns
from node.kubelet.containers.resources import cgroup_limits, cpu_quota, cpu_shares
from node.kubelet.containers.security import SecurityFailure, privileges
from node.kubelet.runtimes.base import ImageRecord, Privileges
from tests.node.builders import container, pod

GI = 1024**3


@pytest.mark.parametrize(
    ("milli", "shares", "quota"),
    [(0, 2, 0), (1, 2, 1000), (100, 102, 10000), (1500, 1536, 150000)],
)
def test_cpu(milli: int, shares: int, quota: int) -> None:
    assert (cpu_shares(milli), cpu_quota(milli)) == (shares, quota)


def limits_of(declared: dict[str, Any], **spec: Any) -> Any:
    one = container(resources=declared)
    return cgroup_limits(pod(one, **spec), one, 10 * GI)


def test_limits() -> None:
    found = limits_of({"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "250m"}})
    assert (found.cpu_shares, found.cpu_quota) == (256, 50000)
    assert found.memory_bytes == 64 * 1024**2


def test_a_limit_stands_in_for_a_missing_request() -> None:
    assert limits_of({"limits": {"cpu": "1"}}).cpu_shares == 1024


def test_pod_level_limits_stand_in_for_missing_ones() -> None:
    assert limits_of({}, resources={"limits": {"memory": "1Gi"}}).memory_bytes == GI


@pytest.mark.parametrize(
    ("resources", "score"),
    [
        ({}, 1000),
        ({"requests": {"memory": "5Gi"}}, 500),
        ({"requests": {"memory": "1Ki"}}, 999),
        ({"requests": {"memory": "10Gi"}}, 3),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, -997),
    ],
)
def test_who_is_killed_first_when_memory_runs_out(resources: Any, score: int) -> None:
    assert limits_of(resources).oom_score_adj == score


def privileges_of(
    own: dict[str, Any], image_user: str = "", root: Path = Path("/nowhere"), **pod_wide: Any
) -> Privileges:
    one = container(securityContext=own)
    image = ImageRecord("sha256:1", user=image_user)
    return privileges(pod(one, securityContext=pod_wide), one, image, root)


def test_the_containers_values_override_the_pods() -> None:
    found = privileges_of(
        {"runAsUser": 1, "readOnlyRootFilesystem": True},
        runAsUser=2,
        runAsGroup=3,
        fsGroup=4,
        supplementalGroups=[5],
    )
    assert (found.user, list(found.groups), found.read_only_root) == ("1:3", ["4", "5"], True)


def test_capabilities_and_options() -> None:
    found = privileges_of(
        {
            "capabilities": {"add": ["CAP_NET_ADMIN"], "drop": ["ALL"]},
            "allowPrivilegeEscalation": False,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    )
    assert list(found.capabilities_add) == ["NET_ADMIN"]
    assert list(found.capabilities_drop) == ["ALL"]
    assert list(found.options) == ["no-new-privileges"]


def test_seccomp(tmp_path: Path) -> None:
    assert list(privileges_of({}).options) == ["seccomp=unconfined"]
    assert list(privileges_of({"privileged": True}).options) == []
    (tmp_path / "seccomp").mkdir()
    (tmp_path / "seccomp/p.json").write_text("{}")
    local = {"seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}}
    assert list(privileges_of(local, root=tmp_path).options) == ["seccomp={}"]
    with pytest.raises(SecurityFailure, match=r"cannot load seccomp profile p\.json"):
        privileges_of(local)


@pytest.mark.parametrize(
    ("own", "image_user", "message"),
    [
        ({"runAsUser": 0}, "", "container's runAsUser breaks non-root policy"),
        ({}, "", "image will run as root"),
        ({}, "0:0", "image will run as root"),
        ({}, "www", r"image has non-numeric user \(www\)"),
        ({"runAsUser": 5}, "", None),
        ({}, "65534", None),
    ],
)
def test_run_as_non_root(own: dict[str, Any], image_user: str, message: str | None) -> None:
    if message is None:
        privileges_of({"runAsNonRoot": True, **own}, image_user)
        return
    with pytest.raises(SecurityFailure, match=message):
        privileges_of(own, image_user, runAsNonRoot=True)


def test_a_group_needs_a_user() -> None:
    with pytest.raises(SecurityFailure, match="runAsGroup is specified without a runAsUser"):
        privileges_of({"runAsGroup": 1})


def test_hosts_file() -> None:
    aliases = [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]
    text = pod_hosts(["10.0.0.1"], "web", "sub.default.svc.cluster.local", aliases)
    assert text.startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")
    assert "\n10.0.0.1\tweb.sub.default.svc.cluster.local\tweb\n" in text
    assert text.endswith("\n# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n")
    assert "\n10.0.0.1\tweb\n" in pod_hosts(["10.0.0.1"], "web", "", [])
    on_host = host_network_hosts("127.0.0.1 me\n", [])
    assert on_host == "# Kubernetes-managed hosts file (host network).\n127.0.0.1 me\n"


NODE_FILE = "# c\nnameserver 9.9.9.9\nsearch old\nsearch corp.example. .\noptions timeout:1\n"
NODE = parse_resolv_conf(NODE_FILE)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {},
            "nameserver 10.96.0.10\n"
            "search default.svc.cluster.local svc.cluster.local cluster.local corp.example\n"
            "options ndots:5\n",
        ),
        (
            {"dnsPolicy": "Default"},
            "nameserver 9.9.9.9\nsearch corp.example\noptions timeout:1\n",
        ),
        (
            {"hostNetwork": True},
            "nameserver 9.9.9.9\nsearch corp.example\noptions timeout:1\n",
        ),
        (
            {
                "dnsPolicy": "None",
                "dnsConfig": {
                    "nameservers": ["1.1.1.1"],
                    "searches": ["resolv.conf.local"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
                },
            },
            "nameserver 1.1.1.1\nsearch resolv.conf.local\noptions ndots:2 edns0\n",
        ),
    ],
)
def test_resolv_conf(spec: dict[str, Any], expected: str) -> None:
    assert pod_dns(pod(**spec), NODE, ["10.96.0.10"], "cluster.local").text() == expected


def test_a_cluster_without_dns_uses_the_nodes() -> None:
    assert pod_dns(pod(), NODE, [], "cluster.local") == NODE


def test_no_more_than_three_servers() -> None:
    config = {"nameservers": [f"1.1.1.{n}" for n in range(5)]}
    found = pod_dns(pod(dnsPolicy="None", dnsConfig=config), NODE, [], "cluster.local")
    assert len(found.servers) == 3
