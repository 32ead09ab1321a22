"""CustomResourceDefinitions that are right: with one version, and with two."""

import copy
from typing import Any

Object = dict[str, Any]
GROUP = "stable.example.com"


def definition(**spec: Any) -> Object:
    """Return a right definition with fields of its spec replaced."""
    version = {"name": "v1", "served": True, "storage": True}
    base = {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [{**version, "schema": {"openAPIV3Schema": {"type": "object"}}}],
    }
    made = {**copy.deepcopy(base), **spec}
    name = f"{(made.get('names') or {}).get('plural', '')}.{made.get('group', '')}"
    kind = {"kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1"}
    return {**kind, "metadata": {"name": name}, "spec": made}


def two_versions(**second: Any) -> Object:
    """Return a definition with a second version of another schema."""
    schema = {"openAPIV3Schema": {"type": "object", "description": "two"}}
    version = {"name": "v2", "served": True, "storage": False, "schema": schema, **second}
    obj = definition()
    obj["spec"]["versions"].append(version)
    return obj
