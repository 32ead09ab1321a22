"""Stopping, killing and starting a cluster: what was acknowledged stays, pods keep running."""

import json
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import remove_containers
from tests.e2e.pods import container, container_ids, deployment, pod
from tests.e2e.stores import STORES, Store
from tests.support.cluster import Cluster

WAIT = "--timeout=120s"
OBJECTS = 200
WRITERS = 4


@pytest.fixture(params=list(STORES))
def fragile(request: pytest.FixtureRequest, image: str, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of the test's own, to be stopped and killed."""
    with (
        STORES[request.param](tmp_path) as store,
        Cluster(tmp_path / "data", store.flags) as cluster,
    ):
        yield cluster
    remove_containers(cluster)


def running_containers(cluster: Cluster) -> set[str]:
    listed = subprocess.run(
        ["docker", "ps", "-q", "--no-trunc"], capture_output=True, text=True, check=True
    )
    return set(listed.stdout.split())


def test_containers_outlive_a_stop_and_are_taken_over(fragile: Cluster, image: str) -> None:
    fragile.apply(deployment("web", image, replicas=2))
    fragile.kubectl("rollout", "status", "deployment/web", WAIT)
    before = container_ids(fragile.get("pods")["items"])

    code = fragile.stop()
    meanwhile = running_containers(fragile)
    fragile.start()

    pods = fragile.get("pods")["items"]
    assert code == 0
    assert before <= meanwhile
    assert container_ids(pods) == before
    assert [item["status"]["containerStatuses"][0]["restartCount"] for item in pods] == [0, 0]
    assert fragile.kubectl("exec", "deploy/web", "--", "echo", "again") == "again\n"


def test_a_pod_deleted_from_the_store_while_stopped_is_cleaned_up(
    fragile: Cluster, image: str
) -> None:
    fragile.apply(pod("kept", container(image)))
    fragile.kubectl("wait", "--for=condition=Ready", "pod/kept", WAIT)
    fragile.kubectl("delete", "pod", "kept", "--wait=false", "--grace-period=1")
    fragile.kill()

    fragile.start()

    fragile.kubectl("wait", "--for=delete", "pod/kept", WAIT)
    assert fragile.get("pods")["items"] == []


@pytest.mark.every_store
def test_everything_acknowledged_survives_kill_9_of_the_process_group(fragile: Cluster) -> None:
    acknowledged: dict[str, str] = {}
    enough = threading.Event()

    def write(writer: int) -> None:
        for number in range(OBJECTS // WRITERS):
            name = f"object-{writer}-{number}"
            done = fragile.run_kubectl("create", "configmap", name, "-o", "json")
            if done.returncode != 0:
                return
            acknowledged[name] = json.loads(done.stdout)["metadata"]["resourceVersion"]
            if len(acknowledged) >= OBJECTS // 4:
                enough.set()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    assert enough.wait(timeout=90)
    fragile.kill()
    for writer in writers:
        writer.join()

    fragile.start()

    found = {
        item["metadata"]["name"]: item["metadata"]["resourceVersion"]
        for item in fragile.get("configmaps")["items"]
    }
    assert len(acknowledged) >= OBJECTS // 4
    assert {name: found.get(name) for name in acknowledged} == acknowledged


@pytest.mark.every_store
def test_the_embedded_datastore_can_be_reached_by_its_owner_only(
    cluster: Cluster, store: Store
) -> None:
    sockets = list(cluster.data_dir.glob("*.sock"))

    modes = [stat.filemode(path.stat().st_mode) for path in sockets]

    assert modes == (["srw-------"] if store.embedded else [])


@pytest.mark.every_store
def test_only_the_api_servers_and_the_kubelets_ports_are_open(cluster: Cluster) -> None:
    session = os.getsid(cluster.pid)
    listening = subprocess.run(
        ["ss", "-ltnpH"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    pids = subprocess.run(
        ["ps", "-o", "pid=", "--sid", str(session)], capture_output=True, text=True, check=True
    ).stdout.split()

    ours = [line for line in listening if any(f"pid={pid}," in line for pid in pids)]
    ports = {int(line.split()[3].rsplit(":", 1)[1]) for line in ours}

    assert ports == {cluster.secure_port, cluster.kubelet_port}
