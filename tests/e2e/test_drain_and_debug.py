"""kubectl drain and kubectl debug on a node with real containers."""

from tests.e2e.pods import SERVE, container, deployment, pod, pods_of
from tests.support.cluster import Cluster

WAIT = "--timeout=120s"


def test_a_debug_container_joins_a_running_pod(
    cluster: Cluster, namespace: str, image: str
) -> None:
    cluster.apply(pod("web", container(image)), namespace=namespace)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "-n", namespace, WAIT)
    started = cluster.get("pod", "web", "-n", namespace)

    cluster.kubectl(
        *("debug", "web", "-n", namespace, f"--image={image}", "--container=dbg"),
        *("--image-pull-policy=IfNotPresent", "--target=main", "--", *SERVE),
    )
    running = "--for=jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt}"
    cluster.kubectl("wait", running, "pod/web", "-n", namespace, WAIT)

    echoed = cluster.kubectl(
        "exec", "web", "-n", namespace, "-c", "dbg", "--", "sh", "-c", "echo marco"
    )
    found = cluster.get("pod", "web", "-n", namespace)
    before, after = (
        (item["status"]["containerStatuses"][0]["containerID"], item["metadata"]["generation"])
        for item in (started, found)
    )
    assert echoed == "marco\n"
    assert after == (before[0], before[1] + 1)
    assert "serving" in cluster.kubectl("logs", "web", "-n", namespace, "-c", "dbg")


def test_a_debug_pod_sees_the_files_of_its_node(
    cluster: Cluster, namespace: str, image: str
) -> None:
    debug = ("debug", f"node/{cluster.node_name}", "-n", namespace, f"--image={image}")
    cluster.kubectl(*debug, "--image-pull-policy=IfNotPresent", "--", "test", "-d", "/host/proc")
    done = "--for=jsonpath={.status.phase}=Succeeded"
    cluster.kubectl("wait", done, "pods", "--all", "-n", namespace, WAIT)


def test_a_drain_keeps_what_a_budget_asks_for(cluster: Cluster, namespace: str, image: str) -> None:
    cluster.apply(deployment("web", image, replicas=2), namespace=namespace)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)
    budget = ("create", "poddisruptionbudget", "web", "--selector=app=web", "-n", namespace)
    cluster.kubectl(*budget, "--min-available=1")
    allowed = "--for=jsonpath={.status.disruptionsAllowed}=1"
    cluster.kubectl("wait", allowed, "pdb/web", "-n", namespace, WAIT)
    before = {item["metadata"]["uid"] for item in pods_of(cluster, namespace)}
    drain = ("drain", cluster.node_name, "--pod-selector=app=web", "--force")

    # Nowhere else to go: the second pod stays, since none comes in the place of the first.
    refused = cluster.run_kubectl(*drain, "--timeout=8s")
    left = [item["metadata"]["uid"] for item in pods_of(cluster, namespace)]
    cluster.kubectl("uncordon", cluster.node_name)
    cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, WAIT)

    assert refused.returncode != 0
    assert "would violate the pod's disruption budget" in refused.stdout + refused.stderr
    assert len(before & set(left)) == 1
    assert len(pods_of(cluster, namespace)) == 2
