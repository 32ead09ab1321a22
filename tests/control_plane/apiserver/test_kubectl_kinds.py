"""kubectl makes, shows and changes objects of the kinds it has commands for."""

import json
from pathlib import Path

import pytest

from tests.control_plane.apiserver.minimal_objects import signing_request
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer


@pytest.fixture
def kubectl(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path, namespace)


CREATED: list[tuple[str, str, list[str]]] = [
    ("job", "j", ["--image=busybox", "--", "true"]),
    ("cronjob", "c", ["--image=busybox", "--schedule=*/5 * * * *", "--", "true"]),
    ("quota", "q", ["--hard=pods=3,limits.cpu=2"]),
    ("poddisruptionbudget", "b", ["--selector=a=b", "--min-available=1"]),
    ("ingress", "i", ["--rule=example.com/*=web:80"]),
    ("role", "r", ["--verb=get", "--resource=pods"]),
    ("rolebinding", "rb", ["--clusterrole=view", "--user=u"]),
]


@pytest.mark.parametrize(("kind", "name", "arguments"), CREATED, ids=lambda value: str(value)[:12])
def test_create_get_and_delete(
    kubectl: Kubectl, kind: str, name: str, arguments: list[str]
) -> None:
    kubectl("create", kind, name, *arguments)
    assert kubectl.json("get", kind, name)["metadata"]["name"] == name
    heading, row = kubectl("get", kind, name, "-o", "wide").splitlines()
    assert heading.startswith("NAME")
    assert row.split()[0] == name
    assert name in kubectl("describe", kind, name)
    kubectl("delete", kind, name)


def test_autoscale_and_scale_a_stateful_set(kubectl: Kubectl) -> None:
    labels = {"app": "s"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "busybox"}]},
    }
    spec = {"selector": {"matchLabels": labels}, "template": template}
    obj = {"kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": {"name": "s"}, "spec": spec}
    kubectl("apply", "-f", "-", stdin=json.dumps(obj))
    kubectl("scale", "statefulset/s", "--replicas=4")
    assert kubectl("get", "sts", "s", "--no-headers").split()[:2] == ["s", "0/4"]
    kubectl("autoscale", "statefulset", "s", "--max=5", "--cpu=70%")
    shown = kubectl("get", "hpa", "s", "--no-headers").split()
    assert shown[:4] == ["s", "StatefulSet/s", "cpu:", "<unknown>/70%"]


def test_a_request_is_approved(kubectl: Kubectl, namespace: str) -> None:
    spec = {"request": signing_request(), "signerName": "a.example/s", "usages": ["client auth"]}
    kind = {"kind": "CertificateSigningRequest", "apiVersion": "certificates.k8s.io/v1"}
    obj = {**kind, "metadata": {"name": namespace}, "spec": {**spec, "username": "another"}}
    kubectl("create", "-f", "-", stdin=json.dumps(obj))
    made = kubectl.json("get", "csr", namespace)
    assert made["spec"]["username"] != "another"
    assert "system:masters" in made["spec"]["groups"]
    kubectl("certificate", "approve", namespace)
    assert kubectl("get", "csr", namespace, "--no-headers").split()[-1] == "Approved"
