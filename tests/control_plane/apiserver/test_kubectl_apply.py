"""kubectl apply --server-side against a running API server, as its users see it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.control_plane.apiserver.test_clients import KUBECTL
from tests.support.apiserver import ThreadedApiServer

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {%s}\n"
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: nginx, image: nginx, env: [{name: A, value: "1"}]}
"""
SIDECAR = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: sidecar, image: busybox}
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Kubectl:
    """kubectl in a namespace, with its cache in a directory of the test."""

    def __init__(self, kubeconfig: Path, home: Path, namespace: str) -> None:
        self._command = [str(KUBECTL), f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"]
        self._env = {**os.environ, "HOME": str(home)}

    def __call__(self, *args: str, stdin: str = "") -> Done:
        done = subprocess.run(
            [*self._command, *args], input=stdin, env=self._env, text=True,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def apply(self, manifest: str, *flags: str) -> Done:
        return self("apply", "--server-side", "-f", "-", *flags, stdin=manifest)

    def get(self, *what: str) -> Any:
        return json.loads(self("get", *what, "-o", "json", "--show-managed-fields").out)


@pytest.fixture
def kubectl(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path, namespace)


def managers(obj: Any) -> list[tuple[str, str]]:
    entries = obj["metadata"].get("managedFields", [])
    return [(entry["manager"], entry["operation"]) for entry in entries]


def test_apply_and_apply_again(kubectl: Kubectl) -> None:
    assert kubectl.apply(MAP % "x: '1'").out == "configmap/a serverside-applied\n"
    first = kubectl.get("cm", "a")
    assert managers(first) == [("kubectl", "Apply")]
    assert kubectl.apply(MAP % "x: '1'").code == 0
    assert kubectl.get("cm", "a") == first
    assert "managedFields" not in kubectl("get", "cm", "a", "-o", "yaml").out


def test_a_conflict_as_its_user_sees_it(kubectl: Kubectl) -> None:
    kubectl.apply(MAP % "x: '1'", "--field-manager=m1")
    done = kubectl.apply(MAP % "x: '2'", "--field-manager=m2")
    assert done.code == 1
    assert done.err == (
        'error: Apply failed with 1 conflict: conflict with "m1": .data.x\n'
        "Please review the fields above--they currently have other managers. Here\n"
        "are the ways you can resolve this warning:\n"
        "* If you intend to manage all of these fields, please re-run the apply\n"
        "  command with the `--force-conflicts` flag.\n"
        "* If you do not intend to manage all of the fields, please edit your\n"
        "  manifest to remove references to the fields that should keep their\n"
        "  current managers.\n"
        "* You may co-own fields by updating your manifest to match the existing\n"
        "  value; in this case, you'll become the manager if the other manager(s)\n"
        "  stop managing the field (remove it from their configuration).\n"
        "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts\n"
    )
    forced = kubectl.apply(MAP % "x: '2'", "--field-manager=m2", "--force-conflicts")
    assert forced.code == 0
    assert managers(kubectl.get("cm", "a")) == [("m2", "Apply")]


def test_a_field_left_out_is_removed(kubectl: Kubectl) -> None:
    kubectl.apply(MAP % "x: '1', z: '2'")
    kubectl.apply(MAP % "z: '2'")
    assert kubectl.get("cm", "a")["data"] == {"z": "2"}


def test_two_managers_share_a_list_of_containers(kubectl: Kubectl) -> None:
    assert kubectl.apply(WEB, "--field-manager=m1").code == 0
    done = kubectl.apply(SIDECAR, "--field-manager=m2")
    assert done.code == 0, done.err
    containers = kubectl.get("deploy", "web")["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in containers] == ["nginx", "sidecar"]
    kubectl.apply(WEB.replace('{name: A, value: "1"}', '{name: B, value: "2"}'),
                  "--field-manager=m1")  # fmt: skip
    containers = kubectl.get("deploy", "web")["spec"]["template"]["spec"]["containers"]
    assert containers[0]["env"] == [{"name": "B", "value": "2"}]
    assert containers[1]["image"] == "busybox"
    only = SIDECAR.partition("spec:")[0]
    assert kubectl.apply(only, "--field-manager=m2").code == 0
    containers = kubectl.get("deploy", "web")["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in containers] == ["nginx"]


def test_kubectl_scale_is_a_manager(kubectl: Kubectl) -> None:
    kubectl.apply(WEB.replace("spec:\n  selector", "spec:\n  replicas: 1\n  selector"))
    assert kubectl("scale", "deploy/web", "--replicas=3").code == 0
    found = kubectl.get("deploy", "web")
    assert found["spec"]["replicas"] == 3
    scaled = [e for e in found["metadata"]["managedFields"] if e.get("subresource") == "scale"]
    assert [entry["fieldsV1"] for entry in scaled] == [{"f:spec": {"f:replicas": {}}}]
    assert kubectl.apply(WEB).code == 0  # without replicas: they stay what they are
    assert kubectl.get("deploy", "web")["spec"]["replicas"] == 3


def test_from_client_side_to_server_side(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=MAP % "x: '1', z: '1'").code == 0
    found = kubectl.get("cm", "a")
    assert managers(found) == [("kubectl-client-side-apply", "Update")]
    done = kubectl.apply(MAP % "x: '2'")
    assert done.code == 0, done.err
    found = kubectl.get("cm", "a")
    assert found["data"] == {"x": "2"}  # z was kubectl's, and kubectl no longer has it
    assert ("kubectl", "Apply") in managers(found)
    assert not any(operation == "Update" for _, operation in managers(found))


def test_dry_run_and_diff(kubectl: Kubectl) -> None:
    kubectl.apply(MAP % "x: '1'")
    before = kubectl.get("cm", "a")
    tried = kubectl.apply(MAP % "x: '2'", "--dry-run=server")
    assert tried.out == "configmap/a serverside-applied (server dry run)\n"
    diff = kubectl("diff", "--server-side", "-f", "-", stdin=MAP % "x: '2'")
    assert diff.code == 1
    assert '+  x: "2"' in diff.out
    assert kubectl.get("cm", "a") == before


def test_an_unknown_field_is_refused(kubectl: Kubectl) -> None:
    done = kubectl.apply(MAP % "x: '1'" + "nope: 1\n")
    assert done.code == 1
    assert "failed to create typed patch object" in done.err
    assert ".nope: field not declared in schema" in done.err


@pytest.mark.parametrize(
    ("command", "manager"),
    [
        (("label", "cm", "a", "k=v"), "kubectl-label"),
        (("annotate", "cm", "a", "k=v"), "kubectl-annotate"),
        (("patch", "cm", "a", "-p", '{"data":{"p":"1"}}'), "kubectl-patch"),
    ],
)
def test_each_command_is_a_manager(
    kubectl: Kubectl, command: tuple[str, ...], manager: str
) -> None:
    kubectl("create", "cm", "a", "--from-literal=x=1")
    kubectl(*command)
    found = {("kubectl-create", "Update"), (manager, "Update")}
    assert set(managers(kubectl.get("cm", "a"))) == found
