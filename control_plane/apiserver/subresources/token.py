"""serviceaccounts/token: a token for a service account, bound to a pod, secret or node if asked.

Source: the TokenRequest storage of Kubernetes v1.35.
"""

import datetime
import time
from collections.abc import Mapping, Sequence

from control_plane.api.errors import BadRequest, Conflict, Invalid, NotFound
from control_plane.api.field_error import invalid
from control_plane.api.objects import Object, dig, name_of, namespace_of, uid_of
from control_plane.api.resources import NODES, PODS, SECRETS, SERVICEACCOUNTS, Resource
from control_plane.api.timestamps import format_time
from control_plane.apiserver.admission import Operation, Review
from control_plane.apiserver.auth.account_options import (
    EXTENDED_SECONDS,
    WARNED_SECONDS,
    ServiceAccountKeys,
)
from control_plane.apiserver.auth.tokens import TokenSubject
from control_plane.apiserver.http.answer import Reply, negotiated_answer
from control_plane.apiserver.http.bodies import read_object
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.http.write_options import call_of

TOKEN_REQUEST = Resource(
    "authentication.k8s.io", "v1", "TokenRequest", "tokenrequests", True, storage=""
)
ISSUED_CREDENTIAL = "authentication.kubernetes.io/issued-credential-id"
DEFAULT_SECONDS = 3600
MIN_SECONDS = 600
MAX_SECONDS = 1 << 32
_BINDABLE: Mapping[str, Resource] = {"Pod": PODS, "Secret": SECRETS, "Node": NODES}

Ref = Mapping[str, str]


async def create(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST: sign a token."""
    call = call_of(request, "CreateOptions")
    sent = await read_object(request, TOKEN_REQUEST, call)
    account = await services.collections.live(SERVICEACCOUNTS, target.namespace, target.name)
    if account is None:
        raise NotFound.of(SERVICEACCOUNTS, target.name)
    namespace, name = target.namespace, target.name
    review = Review(SERVICEACCOUNTS, Operation.CREATE, namespace, sent, None, call, "token", name)
    await services.registry.admit(review)
    _check(sent, target)
    sent["metadata"] |= {"name": name, "namespace": namespace}
    spec = sent.setdefault("spec", {})
    keys = services.config.service_accounts
    audiences = tuple(spec.get("audiences") or keys.audiences)
    seconds = spec.get("expirationSeconds") or DEFAULT_SECONDS
    bound = await _bound(services, target, dig(sent, "spec", "boundObjectRef", default=None))
    if 0 < keys.max_seconds < seconds:
        request.warn(
            f"requested expiration of {seconds} seconds shortened to {keys.max_seconds} seconds"
        )
        seconds = keys.max_seconds
    subject = TokenSubject(target.namespace, target.name, uid_of(account), bound)
    is_extended = _is_extended(keys, seconds, audiences, bound)
    now = time.time()
    signed = services.signer.sign(
        subject,
        audiences,
        EXTENDED_SECONDS if is_extended else seconds,
        now,
        seconds if is_extended else 0,
    )
    request.annotate(ISSUED_CREDENTIAL, signed.credential_id)
    expires = datetime.datetime.fromtimestamp(int(now) + seconds, datetime.UTC)
    spec |= {"audiences": list(audiences), "expirationSeconds": seconds}
    made = format_time(datetime.datetime.fromtimestamp(now, datetime.UTC))
    sent["metadata"]["creationTimestamp"] = made
    sent["status"] = {
        "token": signed.token,
        "expirationTimestamp": format_time(expires),
    }
    return negotiated_answer(sent, request, 201)


def _is_extended(
    keys: ServiceAccountKeys, seconds: int, audiences: Sequence[str], bound: Mapping[str, Ref]
) -> bool:
    """Whether this is a pod's token, for which older clients expect no end within an hour."""
    is_usual = seconds == WARNED_SECONDS and set(audiences) <= set(keys.audiences)
    return keys.extends and is_usual and "pod" in bound


def _check(sent: Object, target: Target) -> None:
    errors = []
    if name_of(sent) not in ("", target.name):
        text = "must match the service account name if specified"
        errors.append(invalid("metadata.name", name_of(sent), text))
    if namespace_of(sent) not in ("", target.namespace):
        text = "must match the service account namespace if specified"
        errors.append(invalid("metadata.namespace", namespace_of(sent), text))
    seconds = dig(sent, "spec", "expirationSeconds", default=DEFAULT_SECONDS)
    field = "spec.expirationSeconds"
    if seconds < MIN_SECONDS:
        text = "may not specify a duration less than 10 minutes"
        errors.append(invalid(field, seconds, text))
    elif seconds > MAX_SECONDS:
        text = "may not specify a duration larger than 2^32 seconds"
        errors.append(invalid(field, seconds, text))
    if errors:
        raise Invalid.of(TOKEN_REQUEST, "", errors)


async def _bound(services: ApiServices, target: Target, ref: Object | None) -> Mapping[str, Ref]:
    """The token's private claims for the object it is bound to."""
    if not ref:
        return {}
    kind, version = ref.get("kind", ""), ref.get("apiVersion", "")
    resource = _BINDABLE.get(kind)
    if resource is None or version not in ("", "v1"):
        raise BadRequest(f"cannot bind token to object of type /{version}, Kind={kind}")
    namespace = target.namespace if resource.namespaced else ""
    obj = await services.collections.live(resource, namespace, ref.get("name", ""))
    if obj is None:
        raise NotFound.of(resource, ref.get("name", ""))
    _check_bound(obj, ref, resource, target)
    bound: dict[str, Ref] = {kind.lower(): {"name": name_of(obj), "uid": uid_of(obj)}}
    if resource == PODS:
        node_name = dig(obj, "spec", "nodeName", default="")
        node = await services.collections.find(NODES, "", node_name) if node_name else None
        if node is not None:
            bound["node"] = {"name": node_name, "uid": uid_of(node)}
    return bound


def _check_bound(obj: Object, ref: Ref, resource: Resource, target: Target) -> None:
    if ref.get("uid") and ref["uid"] != uid_of(obj):
        raise Conflict.of(
            resource,
            name_of(obj),
            f"the UID in the bound object reference ({ref['uid']}) does not match the UID in "
            "record. The object might have been deleted and then recreated",
        )
    account = dig(obj, "spec", "serviceAccountName", default="")
    if resource == PODS and account != target.name:
        raise BadRequest(
            f'cannot bind token for serviceaccount "{target.name}" to pod running with different '
            "serviceaccount name."
        )
