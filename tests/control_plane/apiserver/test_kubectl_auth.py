"""kubectl auth with people who have roles: can-i, can-i --list, whoami."""

import json
import subprocess
from pathlib import Path

import pytest

from control_plane.pki.kubeconfig import write_kubeconfig
from tests.control_plane.apiserver.people import certificate
from tests.control_plane.apiserver.test_clients import KUBECTL, Kubectl
from tests.control_plane.apiserver.test_rbac import PODS, Access, access
from tests.support.apiserver import ThreadedApiServer

__all__ = ["access"]


@pytest.fixture
def jane(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> Kubectl:
    """The kubectl of somebody with a certificate."""
    pair = certificate(server, tmp_path, "jane", ("dev",))
    path = tmp_path / "jane.kubeconfig"
    write_kubeconfig(path, server.url, server.pki.pair("ca").certificate, pair)
    return Kubectl(path, tmp_path, namespace)


def test_can_i(jane: Kubectl, access: Access, namespace: str) -> None:
    access.role("reader", PODS)
    access.bind("reader", "jane", namespace=namespace, kind="Role")
    assert jane("auth", "can-i", "list", "pods").strip() == "yes"
    shown = [line.split() for line in jane("auth", "can-i", "--list").splitlines()]
    assert ["pods", "[]", "[]", "[get", "list]"] in shown
    assert ["[/healthz]", "[]", "[get]"] in shown
    assert ["selfsubjectreviews.authentication.k8s.io", "[]", "[]", "[create]"] in shown


def test_can_i_not(
    server: ThreadedApiServer, jane: Kubectl, tmp_path: Path, namespace: str
) -> None:
    del jane
    answer = subprocess.run(
        [KUBECTL, "--kubeconfig", tmp_path / "jane.kubeconfig", "-n", namespace, "auth", "can-i",
         "delete", "pods"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (answer.returncode, answer.stdout.strip()) == (1, "no")


# kubectl asks for objects without a namespace at the scope of the cluster, and fails at any server
RULES = """
apiVersion: v1
kind: List
items:
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: reader, namespace: NAMESPACE}
  rules:
  - {apiGroups: [""], resources: [pods], verbs: [get, list]}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: readers, namespace: NAMESPACE}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
  subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: User, name: jane}
"""


def test_reconcile(
    server: ThreadedApiServer, jane: Kubectl, tmp_path: Path, namespace: str
) -> None:
    file = tmp_path / "rules.yaml"
    rules = RULES.replace("NAMESPACE", namespace)
    file.write_text(rules)
    kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
    made = kubectl("auth", "reconcile", "-f", str(file))
    assert "rolebinding.rbac.authorization.k8s.io/readers reconciled" in made
    assert jane("auth", "can-i", "list", "pods").strip() == "yes"
    file.write_text(rules.replace("[get, list]", "[get, watch]").replace("jane", "joe"))
    more = kubectl("auth", "reconcile", "-f", str(file))
    assert "role.rbac.authorization.k8s.io/reader reconciled" in more
    role = json.loads(kubectl("get", "role", "reader", "-o", "json"))
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert jane("auth", "can-i", "watch", "pods").strip() == "yes"
    kubectl("auth", "reconcile", "-f", str(file), "--remove-extra-subjects")
    binding = json.loads(kubectl("get", "rolebinding", "readers", "-o", "json"))
    assert [subject["name"] for subject in binding["subjects"]] == ["joe"]


def test_whoami(jane: Kubectl) -> None:
    info = json.loads(jane("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert (info["username"], info["groups"]) == ("jane", ["dev", "system:authenticated"])
