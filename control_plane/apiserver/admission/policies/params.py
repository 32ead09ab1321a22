"""The objects that a binding gives its policy as `params`.

Source: the parameter references of validating admission policies, v1.35.
"""

from control_plane.api import label_selector
from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.policies.registered import Binding
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import Selection


class Misconfigured(Exception):
    """A policy or binding that cannot be evaluated: its failure policy decides."""


async def params_for(
    params_kind: tuple[str, str] | None, binding: Binding, review: Review, collections: Collections
) -> list[Object | None]:
    """The params, one for each evaluation; [None] without a paramRef, [] to skip the binding.

    Raises Misconfigured.
    """
    kind, reference = params_kind, binding.params
    if kind is None or reference is None:
        return [None]
    resource = collections.resources.of_kind(*kind)
    if resource is None or not resource.is_stored:
        raise Misconfigured(f"paramKind kind `{_shown(kind)}` not known")
    namespace = _namespace(resource, reference, review)
    found = await _referenced(resource, namespace, reference, collections)
    if not found and reference.get("parameterNotFoundAction") != "Allow":
        text = "no params found for policy binding with `Deny` parameterNotFoundAction"
        raise Misconfigured(text)
    return list(found)


def _shown(kind: tuple[str, str]) -> str:
    return f"{kind[0]}, Kind={kind[1]}"


def _namespace(resource: Resource, reference: Object, review: Review) -> str:
    given = reference.get("namespace") or ""
    if not resource.namespaced:
        if given:
            text = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            raise Misconfigured(text)
        return ""
    if given or review.namespace:
        return given or review.namespace
    raise Misconfigured(
        "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
    )


async def _referenced(
    resource: Resource, namespace: str, reference: Object, collections: Collections
) -> list[Object]:
    name = reference.get("name") or ""
    if name:
        found = await collections.find(resource, namespace, name)
        return [] if found is None else [found]
    selector = label_selector.from_object(reference.get("selector") or {})
    selected = collections.of(resource).cache.select(Selection(namespace, labels=selector))
    cached = (collections.cached(resource, entry.namespace, entry.name) for entry in selected)
    return [one for one in cached if one is not None]
