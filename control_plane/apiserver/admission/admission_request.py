"""A write as webhooks and expressions are shown it: the AdmissionRequest of admission.k8s.io/v1.

Source: the request builder of apiserver v1.35.
"""

from control_plane.api.conversion import conversion_for, in_stored_version
from control_plane.api.objects import Object
from control_plane.api.resources import NAMESPACES, Resource
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.user import user_info
from control_plane.apiserver.registry.deletion import DeleteOptions

_OPTIONS = {
    Operation.CREATE: "CreateOptions",
    Operation.UPDATE: "UpdateOptions",
    Operation.DELETE: "DeleteOptions",
}


def admission_request(review: Review, seen_as: Resource, uid: str) -> Object:
    """The request, with its objects in the version `seen_as`; one of neither has `null`."""
    resource = review.resource
    request: Object = {
        "uid": uid,
        "kind": kind_of(review, seen_as),
        "resource": _named(seen_as),
        **_given("subResource", review.subresource),
        "requestKind": kind_of(review, resource),
        "requestResource": _named(resource),
        **_given("requestSubResource", review.subresource),
        **_given("name", review.name),
        **_given("namespace", review.name if resource is NAMESPACES else review.namespace),
        "operation": review.operation.value,
        "userInfo": user_info(review.call.user),
        "object": shown(review, seen_as),
        "oldObject": shown_old(review, seen_as),
        "dryRun": is_dry_run(review),
        "options": _options(review),
    }
    return request


def is_dry_run(review: Review) -> bool:
    """Whether nothing will be written."""
    return review.call.dry_run or (review.deletion is not None and review.deletion.dry_run)


def shown(review: Review, seen_as: Resource) -> Object | None:
    """The new object in that version; None for a deletion."""
    if review.operation is Operation.DELETE:
        return None
    return converted(review.obj, review.resource, seen_as)


def shown_old(review: Review, seen_as: Resource) -> Object | None:
    """The old object in that version; None for what is new."""
    return None if review.old is None else converted(review.old, review.resource, seen_as)


def converted(obj: Object, of: Resource, to: Resource) -> Object:
    """The object in another version of its type; what is of another type stays as it is."""
    own = (obj.get("apiVersion") or of.api_version, obj.get("kind") or of.kind)
    if own != (of.api_version, of.kind):
        return obj
    if to is not of:
        stored, conversion = in_stored_version(of, obj), conversion_for(to)
        obj = stored if conversion is None else conversion.from_stored(stored)
    return {**obj, "apiVersion": to.api_version, "kind": to.kind}


def kind_of(review: Review, seen_as: Resource) -> Object:
    """The group, version and kind of what is sent: not the resource's own for many subresources."""
    obj, resource = review.obj, review.resource
    version, kind = obj.get("apiVersion") or "", obj.get("kind") or ""
    if not kind or review.operation is Operation.DELETE or kind == resource.kind:
        return {"group": seen_as.group, "version": seen_as.version, "kind": seen_as.kind}
    group, _, version = version.rpartition("/")
    return {"group": group, "version": version, "kind": kind}


def _named(resource: Resource) -> Object:
    return {"group": resource.group, "version": resource.version, "resource": resource.plural}


def _given(name: str, value: str) -> Object:
    return {name: value} if value else {}


def _options(review: Review) -> Object | None:
    kind = _OPTIONS.get(review.operation)
    if kind is None:
        return None
    given = _deletion(review.deletion) if review.deletion is not None else review.call.options
    return {"kind": kind, "apiVersion": "meta.k8s.io/v1", **given}


def _deletion(options: DeleteOptions) -> Object:
    preconditions = _given("uid", options.uid) | _given("resourceVersion", options.resource_version)
    shown: Object = {}
    if options.grace_seconds is not None:
        shown["gracePeriodSeconds"] = options.grace_seconds
    if preconditions:
        shown["preconditions"] = preconditions
    if options.policy:
        shown["propagationPolicy"] = options.policy
    if options.dry_run:
        shown["dryRun"] = ["All"]
    return shown
