"""A cluster with all its components, which say all they can: a second node joins it.

What is secret is seen nowhere: in no log, audit at Metadata, metrics, events and errors. Secrets
are written, spoilt, used and refused in every way, tokens are issued and shown; then everything
that was said is searched for them.
"""

import base64
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from control_plane.pki.cluster import ClusterPki
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.raw_api import Answer, RawApi
from tests.support.wait import wait_until
from tests.tapir.test_joining import SECONDS, tapir

POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}
CORE = "/api/v1/namespaces/default"
SECRETS, ACCOUNTS, PODS = (f"{CORE}/{kind}" for kind in ("secrets", "serviceaccounts", "pods"))
STREAMED = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


class Said:
    """What must not be seen, and the errors that clients were told."""

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.errors: list[str] = []
        self.logs: list[str] = []

    def hush(self, *texts: str) -> str:
        """Take in secrets, as they are and as base64; return the first."""
        for text in texts:
            encoded = base64.b64encode(text.encode()).decode().rstrip("=")
            self.secrets += [text, encoded]
        return texts[0]

    def refused(self, answer: Answer) -> None:
        """Take in the answer to what cannot be done."""
        assert 400 <= answer.code < 500, answer.text
        self.errors.append(answer.text)

    def leaks(self, text: str) -> list[str]:
        """The secrets in a text, cut short."""
        return [f"{secret[:12]}…" for secret in self.secrets if secret in text]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    place = tmp_path_factory.mktemp("unseen")
    (place / "policy.yaml").write_text(yaml.safe_dump(POLICY))
    flags = [
        "--log-level=debug",
        f"--kube-apiserver-arg=audit-policy-file={place / 'policy.yaml'}",
        f"--kube-apiserver-arg=audit-log-path={place / 'audit.log'}",
    ]
    with Cluster(place / "data", flags, runtime="simulated") as running:
        yield running


@pytest.fixture(scope="module")
def pki(cluster: Cluster) -> ClusterPki:
    return ClusterPki(cluster.data_dir)


@pytest.fixture(scope="module")
def said() -> Said:
    return Said()


@pytest.fixture(scope="module")
def joining(cluster: Cluster, said: Said) -> list[str]:
    """The words of the command with which a node joins: the fifth is a token."""
    made = tapir("token", "create", f"--data-dir={cluster.data_dir}")
    assert made.returncode == 0, made.stderr
    words = made.stdout.split()
    said.hush(words[4], words[4].partition(".")[2])
    return words


def client(cluster: Cluster, pki: ClusterPki, token: str = "") -> RawApi:
    url = f"https://127.0.0.1:{cluster.secure_port}"
    pair = None if token else pki.pair("admin")
    return RawApi(url, pki.pair("ca").certificate, pair, token)


def hushed() -> str:
    return f"hush-{uuid.uuid4().hex}"


def secret(name: str, value: str, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "stringData": {"password": value}, **fields}


def write_secrets(api: RawApi, said: Said) -> None:
    """Write a secret in every way, then in ways that are refused."""
    value = said.hush(hushed())
    assert api.post(SECRETS, secret("plain", value)).code == 201
    path = f"{SECRETS}/plain"
    assert api.put(path, secret("plain", said.hush(hushed()))).code == 200
    for kind in ("merge", "strategic"):
        body = {"stringData": {"password": said.hush(hushed())}}
        assert api.patch(path, body, kind).code == 200
    encoded = base64.b64encode(said.hush(hushed()).encode()).decode()
    fields: dict[str, Any] = {"metadata": {"name": "plain"}, "data": {"password": encoded}}
    applied = {"apiVersion": "v1", "kind": "Secret", **fields}
    said.refused(api.apply(path, applied))
    assert api.apply(path, applied, query="&force=true").code == 200

    value = said.hush(hushed())
    operations: list[list[dict[str, Any]]] = [
        [{"op": "test", "path": "/data/password", "value": value}],
        [{"op": "replace", "path": "/data/password", "value": [value]}],
        [{"op": "replace", "path": "/data/password", "value": f"{value}!"}],
        [{"op": "replace", "path": "/data", "value": value}],
        [{"op": "bogus", "path": "/data/password", "value": value}],
    ]
    for one in operations:
        said.refused(api.patch(path, one, "json"))
    bogus = {"data": {"password": value}, "$patch": value}
    assert api.patch(path, bogus, "strategic").code == 400  # it quotes the patch, to its sender
    for data in ({"k": f"{value}!"}, {"k": [value]}, {"k": 7, "l": value}, [value], value):
        said.refused(api.post(SECRETS, {"metadata": {"name": "bad"}, "data": data}))
        said.refused(api.patch(path, {"data": data}))
    said.refused(api.post(SECRETS, {"metadata": {"name": "bad"}, "stringData": {"a b": value}}))
    said.refused(api.post(SECRETS, secret("bad", value, type="kubernetes.io/tls")))
    docker = {".dockerconfigjson": f'{{"auths": "{value}"'}
    docker_type = "kubernetes.io/dockerconfigjson"
    fields = {"type": docker_type, "stringData": docker}
    said.refused(api.post(SECRETS, {"metadata": {"name": "bad"}, **fields}))
    said.refused(api.post(f"{SECRETS}?fieldValidation=Strict", secret("bad", value, wrong=value)))
    said.refused(api.request("POST", SECRETS, json.dumps(secret("x", value)).encode()[:-3]))
    assert api.post(SECRETS, secret("fixed", value, immutable=True)).code == 201
    said.refused(api.put(f"{SECRETS}/fixed", secret("fixed", hushed(), immutable=True)))


def use_tokens(cluster: Cluster, pki: ClusterPki, api: RawApi, said: Said, bootstrap: str) -> None:
    """Issue tokens of every kind, show them, and spoil them."""
    assert api.post(ACCOUNTS, {"metadata": {"name": "robot"}}).code == 201
    token = api.post(f"{ACCOUNTS}/robot/token", {"spec": {}}).json["status"]["token"]
    account_type = "kubernetes.io/service-account-token"
    annotations = {"kubernetes.io/service-account.name": "robot"}
    metadata = {"name": "old", "annotations": annotations}
    assert api.post(SECRETS, {"metadata": metadata, "type": account_type}).code == 201
    wait_until(lambda: "token" in (api.get(f"{SECRETS}/old").json.get("data") or {}), "a token")
    old = base64.b64decode(api.get(f"{SECRETS}/old").json["data"]["token"]).decode()
    for good in (token, old, bootstrap):
        with client(cluster, pki, good) as shown:
            said.refused(shown.get(SECRETS))
        review = {"spec": {"token": good}}
        answer = api.post("/apis/authentication.k8s.io/v1/tokenreviews", review)
        assert answer.json["status"]["authenticated"], answer.text
    said.hush(token.rpartition(".")[2], old.rpartition(".")[2])
    said.hush(token, old)

    wrong = said.hush(hushed())
    for bad in (wrong, f"{token}{wrong}", f"abcdef.{wrong[:16]}"):
        with client(cluster, pki, bad) as shown:
            said.refused(shown.get(SECRETS))
        review = {"spec": {"token": bad}}
        answer = api.post("/apis/authentication.k8s.io/v1/tokenreviews", review)
        said.errors.append(answer.json["status"]["error"])
    basic = base64.b64encode(f"admin:{wrong}".encode()).decode()
    key = base64.b64encode(b"x" * 16).decode()
    protocol = base64.urlsafe_b64encode(wrong.encode()).decode().rstrip("=")
    bearing = f"base64url.bearer.authorization.k8s.io.{protocol}, v4.channel.k8s.io"
    said.hush(basic, protocol)
    with RawApi(f"https://127.0.0.1:{cluster.secure_port}", pki.pair("ca").certificate) as nobody:
        for headers in (
            {"Authorization": f"Basic {basic}"},
            {**STREAMED, "Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": bearing},
        ):
            answer = nobody.request("GET", f"{PODS}?watch=1", headers=headers)
            said.refused(answer)


def run_pods(cluster: Cluster, api: RawApi, said: Said) -> None:
    """Run pods that are given secrets, and one that cannot be."""
    value = said.hush(hushed())
    auths = {"auths": {"registry.example": {"username": "u", "password": value}}}
    registry = {".dockerconfigjson": json.dumps(auths)}
    docker_type = "kubernetes.io/dockerconfigjson"
    body = {"metadata": {"name": "registry"}, "type": docker_type, "stringData": registry}
    assert api.post(SECRETS, body).code == 201
    reference = {"secretKeyRef": {"name": "plain", "key": "password"}}
    for name, key in (("user", "password"), ("broken", "absent")):
        reference = {"secretKeyRef": {"name": "plain", "key": key}}
        container = {
            "name": "c",
            "image": "registry.example/busybox",
            "env": [{"name": "PASSWORD", "valueFrom": reference}],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        }
        spec = {
            "containers": [container],
            "volumes": [{"name": "v", "secret": {"secretName": "plain"}}],
            "imagePullSecrets": [{"name": "registry"}],
            "nodeName": cluster.node_name,
        }
        assert api.post(PODS, {"metadata": {"name": name}, "spec": spec}).code == 201
    wait_until(lambda: api.get(f"{PODS}/user").json["status"]["phase"] == "Running", "a pod")

    def is_broken() -> bool:
        statuses = api.get(f"{PODS}/broken").json["status"].get("containerStatuses") or [{}]
        waiting = (statuses[0].get("state") or {}).get("waiting") or {}
        return waiting.get("reason") == "CreateContainerConfigError"

    wait_until(is_broken, "the pod that lacks a key")
    for name in ("user", "broken"):
        said.errors.append(json.dumps(api.get(f"{PODS}/{name}").json["status"]))


def keys_of(pki: ClusterPki) -> Iterator[str]:
    """The lines of every private key of the cluster."""
    for path in pki.directory.rglob("*.key"):
        yield from private_lines(path.read_text())


def private_lines(pem: str) -> Iterator[str]:
    """The lines of the private keys in a PEM text."""
    for body in re.findall(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)-----END", pem, re.DOTALL):
        yield from (line for line in body.split() if len(line) > 32)


def test_a_second_node_joins_with_the_command_that_was_printed(
    cluster: Cluster, joining: list[str], said: Said, tmp_path: Path
) -> None:
    flags = (
        f"--data-dir={tmp_path / 'second'}",
        "--node-name=second",
        f"--kubelet-arg=port={free_port()}",
        "--kubelet-arg=address=127.0.0.1",
        "--kubelet-arg=container-runtime=simulated",
    )
    written = tmp_path / "second.log"
    with written.open("w") as log:
        joined = subprocess.Popen(
            [sys.executable, "-m", *joining, *flags], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        cluster.kubectl("wait", "--for=create", "node/second", "--timeout=90s")
        cluster.kubectl("wait", "--for=condition=Ready", "node/second", "--timeout=90s")
        requests = json.loads(cluster.kubectl("get", "csr", "-o", "json"))["items"]
    except Exception as error:
        raise AssertionError(written.read_text()) from error
    finally:
        joined.terminate()
        joined.wait(SECONDS)
        said.logs.append(written.read_text())
    asked = {one["spec"]["signerName"]: one for one in requests}
    own = asked["kubernetes.io/kube-apiserver-client-kubelet"]
    assert own["spec"]["username"] == f"system:bootstrap:{joining[4].partition('.')[0]}"
    assert own["status"]["conditions"][0]["reason"] == "AutoApproved"
    assert (tmp_path / "second" / "kubelet.kubeconfig").stat().st_mode & 0o777 == 0o600
    keys = [path.read_text() for path in (tmp_path / "second").rglob("*.pem")]
    said.secrets += [line for key in keys for line in private_lines(key)]


def test_what_is_secret_is_seen_nowhere(
    cluster: Cluster, pki: ClusterPki, joining: list[str], said: Said
) -> None:
    with client(cluster, pki) as api:
        write_secrets(api, said)
        use_tokens(cluster, pki, api, said, joining[4])
        run_pods(cluster, api, said)
        last = api.get(f"{SECRETS}/absent").headers["Audit-Id"]
        metrics = api.get("/metrics", accept="*/*").text
        events = api.get("/api/v1/events").text
        audit_log = cluster.data_dir.parent / "audit.log"
        wait_until(lambda: last in audit_log.read_text(), "the last audit event")
    cluster.stop()
    said.secrets += keys_of(pki)
    audited, logged = audit_log.read_text(), "".join([*cluster.output, *said.logs])
    assert "DEBUG" in logged.upper(), "the log says too little"
    assert '"resource":"secrets"' in audited
    assert "apiserver_request_total" in metrics
    for what, text in (
        ("log", logged),
        ("audit log", audited),
        ("metrics", metrics),
        ("events", events),
        *(("errors", one) for one in said.errors),
    ):
        assert not said.leaks(text), f"{what}: {said.leaks(text)} {text[:500]}"
