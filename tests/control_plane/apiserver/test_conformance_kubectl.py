"""Conformance: [sig-cli] Kubectl client, what it asks of the API server.

Each test does what upstream's test of its name does, but for the containers.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.apiserver.objects import deployment
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer

LABELS = {"app": "agnhost", "role": "primary"}
POD = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}
CONTROLLER = {
    "kind": "ReplicationController",
    "apiVersion": "v1",
    "metadata": {"name": "agnhost-primary", "labels": LABELS},
    "spec": {"replicas": 1, "selector": LABELS, "template": POD},
}


@pytest.fixture
def kubectl(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path, namespace)


def create(kubectl: Kubectl, obj: Any) -> None:
    kubectl("create", "-f", "-", stdin=json.dumps(obj))


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl api-versions should check if v1 is in available api "
    "versions [Conformance]"
)
def test_should_check_if_v1_is_in_available_api_versions(kubectl: Kubectl) -> None:
    assert "v1" in kubectl("api-versions").splitlines()


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl cluster-info should check if Kubernetes control plane "
    "services is included in cluster-info [Conformance]"
)
def test_should_check_if_control_plane_services_is_included(
    kubectl: Kubectl, server: ThreadedApiServer
) -> None:
    said = kubectl("cluster-info")
    assert "Kubernetes control plane" in said
    assert "is running at" in said
    assert server.url in said


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl version should check is all data is printed [Conformance]"
)
def test_should_check_is_all_data_is_printed(kubectl: Kubectl) -> None:
    said = kubectl("version")
    assert "Client Version: " in said
    assert "Server Version: " in said


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl describe should check if kubectl describe prints "
    "relevant information for rc and pods [Conformance]"
)
def test_describe_prints_relevant_information_for_rc_and_pods(
    kubectl: Kubectl, namespace: str
) -> None:
    create(kubectl, CONTROLLER)
    pod = {**POD, "metadata": {"name": "agnhost-primary-x", "labels": LABELS}}
    create(kubectl, {"kind": "Pod", "apiVersion": "v1", **pod})
    told = kubectl("describe", "rc", "agnhost-primary")
    for words in ("Name:", "Namespace:", "Selector:", "Labels:", "Replicas:", "Pods Status:"):
        assert words in told
    assert "app=agnhost" in told
    told = kubectl("describe", "pod", "agnhost-primary-x")
    for words in ("Name:", "Namespace:", "Labels:", "Node:", "Status:", "Image:", "busybox"):
        assert words in told
    assert namespace in kubectl("describe", "namespace", namespace)
    create(kubectl, {
        "kind": "Service", "apiVersion": "v1", "metadata": {"name": "agnhost-primary"},
        "spec": {"selector": LABELS, "ports": [{"port": 6379, "targetPort": 6379}]},
    })  # fmt: skip
    told = kubectl("describe", "service", "agnhost-primary")
    for words in ("Selector:", "Type:", "ClusterIP", "IP:", "6379/TCP", "Endpoints:"):
        assert words in told
    create(kubectl, {"kind": "Node", "apiVersion": "v1", "metadata": {"name": namespace}})
    told = kubectl("describe", "node", namespace)
    for words in ("Name:", "Labels:", "Annotations:", "CreationTimestamp:", "Unschedulable:"):
        assert words in told
    kubectl("delete", "node", namespace)


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl diff should check if kubectl diff finds a difference "
    "for Deployments [Conformance]"
)
def test_diff_finds_a_difference_for_deployments(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps(deployment("httpd")))
    changed = deployment("httpd")
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:new"
    with pytest.raises(AssertionError):  # its exit code says that there are differences
        kubectl("diff", "-f", "-", stdin=json.dumps(changed))
    assert kubectl("diff", "-f", "-", stdin=json.dumps(deployment("httpd"))) == ""


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl expose should create services for rc [Conformance]"
)
def test_expose_should_create_services_for_rc(kubectl: Kubectl) -> None:
    create(kubectl, CONTROLLER)
    ports = ("--port=1234", "--target-port=6379")
    kubectl("expose", "rc", "agnhost-primary", "--name=rm2", *ports)
    spec = kubectl.json("get", "service", "rm2")["spec"]
    assert (spec["selector"], spec["ports"][0]["port"]) == (LABELS, 1234)
    ports = ("--port=2345", "--target-port=6379")
    kubectl("expose", "service", "rm2", "--name=rm3", *ports)
    spec = kubectl.json("get", "service", "rm3")["spec"]
    assert (spec["selector"], spec["ports"][0]["targetPort"]) == (LABELS, 6379)


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl label should update the label on a resource [Conformance]"
)
def test_label_should_update_the_label_on_a_resource(kubectl: Kubectl) -> None:
    create(kubectl, {"kind": "Pod", "apiVersion": "v1", **POD, "metadata": {"name": "pause"}})
    kubectl("label", "pods", "pause", "testing-label=testing-label-value")
    assert "testing-label-value" in kubectl("get", "pod", "pause", "-L", "testing-label")
    kubectl("label", "pods", "pause", "testing-label-")
    assert "testing-label-value" not in kubectl("get", "pod", "pause", "-L", "testing-label")


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl patch should add annotations for pods in rc [Conformance]"
)
def test_patch_should_add_annotations_for_pods_in_rc(kubectl: Kubectl) -> None:
    create(kubectl, {"kind": "Pod", "apiVersion": "v1", **POD, "metadata": {"name": "p"}})
    kubectl("patch", "pod", "p", "-p", '{"metadata":{"annotations":{"x":"y"}}}')
    assert kubectl.json("get", "pod", "p")["metadata"]["annotations"] == {"x": "y"}


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl replace should update a single-container pod's image "
    "[Conformance]"
)
def test_replace_should_update_a_single_container_pods_image(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--image=httpd", "--labels=run=e2e-test")
    found = kubectl.json("get", "pod", "p")
    found["spec"]["containers"][0]["image"] = "busybox"
    kubectl("replace", "-f", "-", stdin=json.dumps(found))
    assert kubectl.json("get", "pod", "p")["spec"]["containers"][0]["image"] == "busybox"


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl run pod should create a pod from an image when restart "
    "is Never [Conformance]"
)
def test_run_pod_should_create_a_pod_when_restart_is_never(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--restart=Never", "--image=httpd")
    spec = kubectl.json("get", "pod", "p")["spec"]
    assert (spec["containers"][0]["image"], spec["restartPolicy"]) == ("httpd", "Never")


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Kubectl server-side dry-run should check if kubectl can "
    "dry-run update Pods [Conformance]"
)
def test_kubectl_can_dry_run_update_pods(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--image=httpd", "--labels=run=p")
    patch = {"spec": {"containers": [{"name": "p", "image": "busybox"}]}}
    kubectl("patch", "pod", "p", "-p", json.dumps(patch), "--dry-run=server")
    assert kubectl.json("get", "pod", "p")["spec"]["containers"][0]["image"] == "httpd"


def test_several_documents_in_one_file(kubectl: Kubectl) -> None:
    documents = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: '1'}}\n"
        for name in "abc"
    )
    for flags in ((), ("--server-side", "--force-conflicts")):
        said = kubectl("apply", *flags, "-f", "-", stdin=f"# what follows\n{documents}---\n")
        assert len(said.splitlines()) == 3
    assert kubectl("get", "cm", "a", "b", "c", "-o", "name").count("configmap/") == 3
    kubectl("delete", "-f", "-", stdin=documents)
    assert kubectl("get", "cm", "a", "b", "c", "--ignore-not-found") == ""


def test_the_exit_code_of_a_diff_is_one(server: ThreadedApiServer, namespace: str) -> None:
    command = [str(Path(sys.executable).parent / "kubectl"), f"--kubeconfig={server.kubeconfig}"]
    done = subprocess.run(
        [*command, "-n", namespace, "diff", "-f", "-"],
        input=json.dumps(deployment("new")), text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "+kind: Deployment" in done.stdout
