"""What lies in the store, and what the cluster says while the store does not answer."""

import pytest

from tests.e2e.pods import container, pod
from tests.e2e.stores import Store
from tests.support.cluster import Cluster
from tests.support.wait import wait_until

pytestmark = pytest.mark.every_store


def ready_code(cluster: Cluster) -> int:
    return cluster.run_kubectl("get", "--raw", "/readyz").returncode


def test_objects_are_found_with_the_stores_own_client(
    cluster: Cluster, store: Store, namespace: str
) -> None:
    cluster.kubectl("create", "configmap", "findme", "-n", namespace)

    found = store.objects()

    assert ("configmaps", namespace, "findme") in found
    nodes = {name for resource, _, name in found if resource in ("nodes", "minions")}
    assert nodes == {cluster.node_name}


def test_readyz_follows_the_store_and_recovers_by_itself(cluster: Cluster, store: Store) -> None:
    before = ready_code(cluster)

    store.interrupt(cluster)
    try:
        wait_until(lambda: ready_code(cluster) != 0, "readyz to fail")
    finally:
        store.resume(cluster)

    wait_until(lambda: ready_code(cluster) == 0, "readyz to recover")
    assert before == 0


def test_work_goes_on_after_the_store_was_away(
    cluster: Cluster, store: Store, namespace: str, image: str
) -> None:
    store.interrupt(cluster)
    try:
        wait_until(lambda: ready_code(cluster) != 0, "readyz to fail")
    finally:
        store.resume(cluster)
    wait_until(lambda: ready_code(cluster) == 0, "readyz to recover")

    cluster.apply(pod("after", container(image)), namespace=namespace)

    cluster.kubectl("wait", "--for=condition=Ready", "pod/after", "-n", namespace, "--timeout=120s")
