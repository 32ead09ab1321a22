"""A container's environment: envFrom, then env in order, over the service variables. Pure.

The objects it refers to are fetched first: `sources_of` names them, `environment` is given their
contents. Called by container_config.py at every start, so that a restarted container sees changed
ConfigMaps and Secrets.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from control_plane.api.objects import Object
from node.kubelet.containers.expansion import expand
from node.kubelet.containers.references import (
    PodFacts,
    ReferenceFailure,
    field_value,
    resource_value,
)

# ("configmap" | "secret", name) → the object, None when it does not exist
Sources = Mapping[tuple[str, str], Object | None]

_REFERENCES = (
    ("configMapKeyRef", "configmap", "ConfigMap"),
    ("secretKeyRef", "secret", "Secret"),
)


def sources_of(container: Object) -> Iterator[tuple[str, str]]:
    """Yield the kind and name of every ConfigMap and Secret the environment needs."""
    for source in container.get("envFrom") or ():
        if reference := source.get("configMapRef"):
            yield "configmap", reference["name"]
        if reference := source.get("secretRef"):
            yield "secret", reference["name"]
    for variable in container.get("env") or ():
        for key, kind, _ in _REFERENCES:
            if reference := (variable.get("valueFrom") or {}).get(key):
                yield kind, reference["name"]


def environment(
    facts: PodFacts, container: Object, services: Mapping[str, str], sources: Sources
) -> dict[str, str]:
    """Return the variables; raises ReferenceFailure when something needed does not exist."""
    values = _from_sources(container, sources)
    for variable in container.get("env") or ():
        name, text = variable["name"], variable.get("value") or ""
        if text or not variable.get("valueFrom"):
            values[name] = expand(text, values, services)
            continue
        value = _value_from(facts, container, variable["valueFrom"], sources)
        if value is not None:
            values[name] = value
    return {**services, **values}


def _from_sources(container: Object, sources: Sources) -> dict[str, str]:
    values: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        prefix = source.get("prefix") or ""
        for key, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
            if reference := source.get(key):
                data = _data(kind, reference, sources) or {}
                values |= {prefix + name: value for name, value in data.items()}
    return values


def _value_from(facts: PodFacts, container: Object, source: Object, sources: Sources) -> str | None:
    if reference := source.get("fieldRef"):
        return field_value(facts, reference["fieldPath"])
    if reference := source.get("resourceFieldRef"):
        return resource_value(facts, reference, container)
    for key, kind, title in _REFERENCES:
        if reference := source.get(key):
            return _key_value(facts, kind, title, reference, sources)
    raise ReferenceFailure(f"unsupported valueFrom: {', '.join(source)}")


def _key_value(
    facts: PodFacts, kind: str, title: str, reference: Object, sources: Sources
) -> str | None:
    data = _data(kind, reference, sources)
    if data is None:
        return None
    key = reference["key"]
    if key not in data and not reference.get("optional"):
        namespace = facts.pod["metadata"].get("namespace", "")
        raise ReferenceFailure(
            f"couldn't find key {key} in {title} {namespace}/{reference['name']}"
        )
    return data.get(key)


def _data(kind: str, reference: Object, sources: Sources) -> dict[str, str] | None:
    """Return the text data of a source; None when it is optional and missing."""
    found = sources.get((kind, reference["name"]))
    if found is None:
        if reference.get("optional"):
            return None
        raise ReferenceFailure(f'{kind} "{reference["name"]}" not found')
    data = found.get("data") or {}
    if kind == "secret":
        return {k: base64.b64decode(v).decode(errors="replace") for k, v in data.items()}
    return dict(data)
