"""Policies that hold in one test's namespace alone, and go with the test."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.support.raw_api import Answer, RawApi

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{GROUP}/validatingadmissionpolicies"
BINDINGS = f"{GROUP}/validatingadmissionpolicybindings"


def rules(*resources: str, group: str = "", operations: tuple[str, ...] = ("*",)) -> dict[str, Any]:
    rule = {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": list(operations),
        "resources": list(resources),
    }
    return {"resourceRules": [rule]}


@dataclass
class Stage:
    """Writes policies and bindings for one namespace."""

    api: RawApi
    namespace: str
    name: str = field(default_factory=lambda: f"policy-{uuid.uuid4().hex[:8]}")
    made: list[str] = field(default_factory=list)

    def policy(self, *validations: Any, **spec: Any) -> str:
        """Store a policy about configmaps; a validation may be given as its expression alone."""
        checks = [{"expression": one} if isinstance(one, str) else one for one in validations]
        spec = {"matchConstraints": rules("configmaps"), "validations": checks, **spec}
        reply = self.api.post(POLICIES, {"metadata": {"name": self.name}, "spec": spec})
        assert reply.code == 201, reply.json
        self.made.append(f"{POLICIES}/{self.name}")
        return self.name

    def bind(self, *actions: str, name: str = "", **spec: Any) -> str:
        """Bind the policy to this namespace, to deny unless told otherwise."""
        name = name or self.name
        match = {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        }
        spec = {"matchResources": match, **spec}
        spec |= {"policyName": self.name, "validationActions": list(actions or ("Deny",))}
        reply = self.api.post(BINDINGS, {"metadata": {"name": name}, "spec": spec})
        assert reply.code == 201, reply.json
        self.made.append(f"{BINDINGS}/{name}")
        return name

    def configmap(self, name: str, **fields: Any) -> Answer:
        """Create a configmap."""
        metadata = {"name": name, **fields.pop("metadata", {})}
        path = f"/api/v1/namespaces/{self.namespace}/configmaps"
        return self.api.post(path, {"metadata": metadata, **fields})

    def denial(self, name: str, message: str, binding: str = "") -> str:
        """The message of a refusal."""
        return (
            f"configmaps \"{name}\" is forbidden: ValidatingAdmissionPolicy '{self.name}' with "
            f"binding '{binding or self.name}' denied request: {message}"
        )

    def clear(self) -> None:
        for path in reversed(self.made):
            self.api.delete(path)
