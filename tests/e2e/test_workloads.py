"""Deployments by kubectl, in real containers: create, roll, scale, replace, undo, delete."""

import pytest

from tests.e2e.pods import SERVE, container_ids, deployment, pods_of
from tests.support.cluster import Cluster

WAIT = "--timeout=120s"


@pytest.mark.every_store
def test_a_deployment_runs_its_replicas_in_containers(
    cluster: Cluster, namespace: str, image: str
) -> None:
    cluster.kubectl(
        *("create", "deployment", "web", f"--image={image}", "--replicas=3", "-n", namespace),
        *("--", *SERVE),
    )

    rolled = cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)

    pods = pods_of(cluster, namespace)
    assert 'deployment "web" successfully rolled out' in rolled
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 3
    assert len({pod["status"]["podIP"] for pod in pods}) == 3
    assert len(container_ids(pods)) == 3


def test_get_pods_wide_shows_what_upstream_shows(
    cluster: Cluster, namespace: str, image: str
) -> None:
    cluster.apply(deployment("web", image), namespace=namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)

    header, row = cluster.kubectl("get", "pods", "-o", "wide", "-n", namespace).splitlines()

    assert " ".join(header.split()) == (
        "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"
    )
    assert row.split()[1:4] == ["1/1", "Running", "0"]
    assert row.split()[6] == cluster.node_name


def test_scaling_adds_and_removes_pods(cluster: Cluster, namespace: str, image: str) -> None:
    cluster.apply(deployment("web", image, replicas=2), namespace=namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)

    cluster.kubectl("scale", "deployment/web", "--replicas=4", "-n", namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)
    grown = len(pods_of(cluster, namespace))
    cluster.kubectl("scale", "deployment/web", "--replicas=1", "-n", namespace)
    cluster.kubectl(
        *("wait", "--for=jsonpath={.status.replicas}=1", "deployment/web", "-n", namespace, WAIT)
    )

    assert grown == 4


def test_deleted_pods_are_replaced(cluster: Cluster, namespace: str, image: str) -> None:
    cluster.apply(deployment("web", image, replicas=2), namespace=namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)
    before = {pod["metadata"]["uid"] for pod in pods_of(cluster, namespace)}

    cluster.kubectl("delete", "pod", "-l", "app=web", "-n", namespace, WAIT)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)

    after = {pod["metadata"]["uid"] for pod in pods_of(cluster, namespace)}
    assert len(after) == 2
    assert not before & after


def test_a_rollout_can_be_undone(cluster: Cluster, namespace: str, image: str) -> None:
    cluster.apply(deployment("web", image), namespace=namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)
    cluster.kubectl("set", "env", "deployment/web", "COLOUR=green", "-n", namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)
    green = cluster.kubectl("exec", "deploy/web", "-n", namespace, "--", "env")

    cluster.kubectl("rollout", "undo", "deployment/web", "-n", namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)

    undone = cluster.get("deployment", "web", "-n", namespace)
    history = cluster.kubectl("rollout", "history", "deployment/web", "-n", namespace)
    assert "COLOUR=green" in green
    assert "env" not in undone["spec"]["template"]["spec"]["containers"][0]
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]


def test_deleting_a_deployment_deletes_what_it_made(
    cluster: Cluster, namespace: str, image: str
) -> None:
    cluster.apply(deployment("web", image, replicas=2), namespace=namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)

    cluster.kubectl("delete", "deployment", "web", "-n", namespace, WAIT)
    cluster.kubectl("wait", "--for=delete", "pod", "-l", "app=web", "-n", namespace, WAIT)

    assert cluster.get("replicasets,pods", "-n", namespace)["items"] == []
