"""Custom resources for tests: definitions that are established, and gone afterwards."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from control_plane.api.objects import find_condition
from control_plane.api.resources import CUSTOMRESOURCEDEFINITIONS
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

Object = dict[str, Any]
DEFINITIONS = CUSTOMRESOURCEDEFINITIONS.path()
ANYTHING: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class Custom(NamedTuple):
    """A custom resource that is served: `path` is its collection in a namespace."""

    api: RawApi
    name: str
    group: str
    plural: str
    kind: str
    namespace: str

    def path(self, name: str = "", version: str = "v1", sub: str = "") -> str:
        place = f"/namespaces/{self.namespace}" if self.namespace else ""
        parts = [f"/apis/{self.group}/{version}{place}/{self.plural}", name, sub]
        return "/".join(part for part in parts if part)

    def obj(self, name: str, version: str = "v1", **fields: Any) -> Object:
        api_version = f"{self.group}/{version}"
        return {"apiVersion": api_version, "kind": self.kind, "metadata": {"name": name}, **fields}

    def definition(self) -> Object:
        found: Object = self.api.get(f"{DEFINITIONS}/{self.name}").json
        return found


def version(name: str = "v1", schema: Object | None = None, **fields: Any) -> Object:
    """An entry of spec.versions; the first is stored unless it says otherwise."""
    return {
        "name": name,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema or ANYTHING},
        **fields,
    }


def definition(*versions: Object, group: str = "", plural: str = "foos", **spec: Any) -> Object:
    """A definition of Foos (or the like) in a group of its own."""
    group = group or f"g{uuid.uuid4().hex[:8]}.example.com"
    kind = plural.removesuffix("s").title()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def is_established(obj: Object) -> bool:
    return (find_condition(obj, "Established") or {}).get("status") == "True"


@contextmanager
def established(api: RawApi, namespace: str, obj: Object) -> Iterator[Custom]:
    """The custom resource of a definition, until the end."""
    made = api.post(DEFINITIONS, obj)
    assert made.code == 201, made.text
    name = obj["metadata"]["name"]
    wait_until(lambda: is_established(api.get(f"{DEFINITIONS}/{name}").json), "it is established")
    spec = obj["spec"]
    try:
        yield Custom(
            api, name, spec["group"], spec["names"]["plural"], spec["names"]["kind"],
            namespace if spec["scope"] == "Namespaced" else "",
        )  # fmt: skip
    finally:
        api.delete(f"{DEFINITIONS}/{name}")
        wait_until(lambda: api.get(f"{DEFINITIONS}/{name}").code == 404, "it is gone")
