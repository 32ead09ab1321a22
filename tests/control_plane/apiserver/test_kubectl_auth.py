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


def test_whoami(jane: Kubectl) -> None:
    info = json.loads(jane("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert (info["username"], info["groups"]) == ("jane", ["dev", "system:authenticated"])
