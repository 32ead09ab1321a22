"""What pods refer to, and what of that the account they run as allows."""

from typing import Any

import pytest

from control_plane.api.secret_references import (
    Mountable,
    forbidden_in_ephemeral,
    forbidden_in_pod,
    projects_tokens,
    refers_to_secrets,
)

Object = dict[str, Any]
ACCOUNT: Object = {
    "metadata": {"name": "a", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}},
    "secrets": [{"name": "mine"}],
    "imagePullSecrets": [{"name": "pull"}],
}
MOUNTABLE = Mountable.of(ACCOUNT)
END = "is not allowed because service account a does not reference that"


def env(name: str) -> Object:
    return {"name": "V", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}


def container(name: str, **more: Any) -> Object:
    return {"name": name, **more}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"volumes": [{"name": "v", "secret": {"secretName": "x"}}]},
         f'volume with secret.secretName="x" {END} secret'),
        ({"initContainers": [container("i", env=[env("x")])]},
         f'init container i with envVar V referencing secret.secretName="x" {END} secret'),
        ({"containers": [container("c", envFrom=[{"secretRef": {"name": "x"}}])]},
         f'container c with envFrom referencing secret.secretName="x" {END} secret'),
        ({"imagePullSecrets": [{"name": "pull"}, {"name": "x"}]},
         f'imagePullSecrets[1].name="x" {END} imagePullSecret'),
        ({"volumes": [{"name": "v", "secret": {"secretName": "mine"}}],
          "containers": [container("c", env=[env("mine")])]}, ""),
    ],
)  # fmt: skip
def test_only_listed_secrets_are_allowed(spec: Object, words: str) -> None:
    assert forbidden_in_pod({"spec": spec}, MOUNTABLE) == words
    everybody = Mountable.of({**ACCOUNT, "metadata": {"name": "a"}})
    assert forbidden_in_pod({"spec": spec}, everybody) == ""
    assert refers_to_secrets({"spec": spec})


def test_ephemeral_containers_too() -> None:
    pod = {"spec": {"ephemeralContainers": [container("e", env=[env("x")])]}}
    words = f'ephemeral container e with envVar V referencing secret.secretName="x" {END} secret'
    assert forbidden_in_ephemeral(pod, MOUNTABLE) == words


@pytest.mark.parametrize(
    "volume",
    [
        {"name": "v", "projected": {"sources": [{"secret": {"name": "x"}}]}},
        {"name": "v", "cephfs": {"secretRef": {"name": "x"}}},
        {"name": "v", "csi": {"nodePublishSecretRef": {"name": "x"}}},
        {"name": "v", "azureFile": {"secretName": "x"}},
    ],
)
def test_volumes_of_many_kinds_refer_to_secrets(volume: Object) -> None:
    assert refers_to_secrets({"spec": {"volumes": [volume]}})


def test_a_pod_without_secrets_refers_to_none() -> None:
    token = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}
    pod = {"spec": {"volumes": [token, {"name": "e", "emptyDir": {}}], "containers": [{}]}}
    assert not refers_to_secrets(pod)
    assert projects_tokens(pod)
    assert not projects_tokens({"spec": {}})
