"""`tapir token create` and `tapir join`: a second machine needs one command and no file."""

import datetime
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapir.joining.bootstrap_token import TOKEN, new_token, token_secret
from tapir.joining.cluster_info import ClusterInfoError, ca_hash, ca_of, cluster_kubeconfig
from tests.control_plane.apiserver.conftest import raw_api
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore

# openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256
CA = b"""-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIUF7PuIFbfi7MfK57lBxsUzM2IvvYwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCY2EwIBcNMjYxMTIyMDgwNjEwWhgPMjEyNjEwMjkwODA2MTBa
MA0xCzAJBgNVBAMMAmNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOYhOEv1u
/6wY4Dw4n9Fxq/s7jVZokoIVhvP0zPzLMHqhqrZ3WReuKPQNn6UTCRfnxYa1oonj
/OoDFB69C3BtAqNTMFEwHQYDVR0OBBYEFPcEiWO9DKyapugsmGFlZS1RbKBtMB8G
A1UdIwQYMBaAFPcEiWO9DKyapugsmGFlZS1RbKBtMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIhANd66/1zpN6LFP6ZCbKaILZ4Ln9ZdE6v5PBBOky/
sKqxAiBHgnNVtQBrOLo5tJ/bU6izOOK5P33FJPcjPSNYqStkcA==
-----END CERTIFICATE-----
"""
CA_HASH = "sha256:f7cee5069ed4f9a7dbce52b98ce6eccd4dfe6e91a9da1d30ae704d081bfa8fdf"
SECONDS = 90


def tapir(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "tapir", *words],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedApiServer]:
    directory = tmp_path_factory.mktemp("joined")
    with Datastore() as store, ThreadedApiServer(store.endpoint, directory) as running:
        yield running


@pytest.fixture(scope="module")
def command(server: ThreadedApiServer) -> list[str]:
    """The words of the command that `tapir token create` prints."""
    done = tapir("token", "create", "--kubeconfig", str(server.kubeconfig), "--ttl=1h")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_hash_of_a_ca_is_kubeadms() -> None:
    assert ca_hash(CA) == CA_HASH


def test_a_ca_is_believed_for_its_hash_alone() -> None:
    info = {"data": {"kubeconfig": cluster_kubeconfig("https://a:1", CA).decode()}}
    assert ca_of(info, CA_HASH) == CA
    with pytest.raises(ClusterInfoError, match="it is another cluster"):
        ca_of(info, "sha256:" + "0" * 64)
    with pytest.raises(ClusterInfoError, match="no kubeconfig with a CA"):
        ca_of({"data": {}}, CA_HASH)


def test_a_tokens_secret_is_as_kubeadm_makes_it() -> None:
    ends = datetime.datetime(2026, 5, 1, 12, 0, tzinfo=datetime.UTC)
    secret = token_secret("abcdef.0123456789abcdef", "for one", ends)
    assert secret["metadata"] == {"name": "bootstrap-token-abcdef", "namespace": "kube-system"}
    assert secret["type"] == "bootstrap.kubernetes.io/token"
    assert secret["stringData"] == {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        "description": "for one",
        "expiration": "2026-05-01T12:00:00Z",
    }
    assert TOKEN.fullmatch(new_token())


def test_token_create_prints_the_command_and_makes_what_it_needs(
    server: ThreadedApiServer, command: list[str]
) -> None:
    assert command[:2] == ["tapir", "join"]
    assert command[3] == "--token"
    token, pin = command[4], command[6]
    assert pin == ca_hash(server.pki.pair("ca").certificate.read_bytes())
    with raw_api(server) as admin:
        name = f"bootstrap-token-{token.partition('.')[0]}"
        secret = admin.get(f"/api/v1/namespaces/kube-system/secrets/{name}")
        binding = admin.get(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kubeadm:kubelet-bootstrap"
        )
    assert (secret.code, binding.code) == (200, 200)
    with raw_api(server, "") as nobody:
        info = nobody.get("/api/v1/namespaces/kube-public/configmaps/cluster-info")
        assert nobody.get("/api/v1/namespaces/kube-public/configmaps").code in (401, 403)
    assert info.code == 200
    assert ca_of(json.loads(info.text), pin) == server.pki.pair("ca").certificate.read_bytes()


def test_a_second_token_needs_nothing_new(server: ThreadedApiServer) -> None:
    words = ["token", "create", "zzzzzz.0123456789abcdef", "--kubeconfig", str(server.kubeconfig)]
    done = tapir(*words)
    assert "--token zzzzzz.0123456789abcdef" in done.stdout
    again = tapir(*words)
    assert again.returncode == 2
    assert "already exists" in again.stderr


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({2: "nowhere"}, "'nowhere': give the API server as HOST:PORT"),
        ({4: "x"}, "--token: give one that `tapir token create` has made"),
        ({6: "sha256:0"}, "--discovery-token-ca-cert-hash: give sha256:"),
        ({6: "sha256:" + "0" * 64}, "it is another cluster"),
        ({4: "aaaaaa.aaaaaaaaaaaaaaaa"}, "the API server does not know its token"),
    ],
)
def test_who_cannot_join_is_told_why(
    server: ThreadedApiServer,
    command: list[str],
    tmp_path: Path,
    change: dict[int, str],
    text: str,
) -> None:
    words = [change.get(number, word) for number, word in enumerate(command)]
    words[2] = words[2] if 2 in change else f"127.0.0.1:{server.server.port}"
    done = tapir(*words[1:], f"--data-dir={tmp_path}", "--node-name=second")
    assert done.returncode == 2, done.stderr
    assert text in done.stderr
    assert "Traceback" not in done.stderr
