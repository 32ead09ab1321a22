"""A webhook server beside the API server of these tests, and configurations that go with a test."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.control_plane.apiserver.webhook_peer import Answering, WebhookPeer, patch
from tests.support.raw_api import Answer, Object, RawApi

ROOT = "/apis/admissionregistration.k8s.io/v1"
MUTATING = f"{ROOT}/mutatingwebhookconfigurations"
VALIDATING = f"{ROOT}/validatingwebhookconfigurations"
_KINDS = {MUTATING: "MutatingWebhookConfiguration", VALIDATING: "ValidatingWebhookConfiguration"}
CONFIG_MAPS = ("", "configmaps")


class WebhookStage:
    """Webhooks about one namespace."""

    def __init__(self, api: RawApi, peer: WebhookPeer, namespace: str) -> None:
        self.api, self.peer, self.namespace = api, peer, namespace
        self.path = f"/api/v1/namespaces/{namespace}"

    def webhook(self, path: str, about: tuple[str, str] = CONFIG_MAPS, **fields: Any) -> Object:
        """A webhook at a path of the peer, about writes of a (group, resource) in the namespace."""
        group, resource = about
        rule = {
            "operations": ["CREATE", "UPDATE"],
            "apiGroups": [group],
            "apiVersions": ["*"],
            "resources": [resource],
        }
        selector = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        return {
            "name": f"{path.strip('/')}.example.com",
            "clientConfig": self.peer.client(path),
            "rules": [rule],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": selector,
            **fields,
        }

    @contextmanager
    def configured(self, kind: str, *webhooks: Object) -> Iterator[str]:
        """A configuration of these; yields its path."""
        name = f"c-{uuid.uuid4().hex[:8]}"
        made = self.api.post(kind, configuration(kind, name, *webhooks))
        assert made.code == 201, made.text
        try:
            yield f"{kind}/{name}"
        finally:
            self.api.delete(f"{kind}/{name}")

    @contextmanager
    def answering(self, kind: str, answers: dict[str, Answering], **fields: Any) -> Iterator[None]:
        """One configuration with one webhook of config maps for each path, in their order."""
        self.peer.answers |= answers
        hooks = [self.webhook(path, **fields) for path in answers]
        with ExitStack() as stack:
            stack.enter_context(self.configured(kind, *hooks))
            yield

    def create(self, name: str, query: str = "", **more: Any) -> Answer:
        """POST a config map."""
        body = {"metadata": {"name": name}, **more}
        return self.api.post(f"{self.path}/configmaps{query}", body)


def configuration(kind: str, name: str, *webhooks: Object) -> Object:
    """A configuration object."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": _KINDS[kind],
        "metadata": {"name": name, "labels": {"test": name}},
        "webhooks": list(webhooks),
    }


def adds_data(key: str, needs: str) -> Any:
    """A webhook that adds a key to config maps that have another."""

    def answer(review: Any) -> Any:
        data = review["request"]["object"].get("data") or {}
        if needs not in data:
            return {"allowed": True}
        operation = {"op": "add", "path": f"/data/{key}", "value": "yes"}
        return {"allowed": True, **patch(operation)}

    return answer
