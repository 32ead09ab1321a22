"""Whether the service account and the object that a token names are still the ones it was made for.

Source: pkg/serviceaccount of Kubernetes v1.35.
"""

import time
from collections.abc import Awaitable, Callable, Mapping

from control_plane.api.objects import Object, dig, uid_of
from control_plane.api.timestamps import parse
from control_plane.apiserver.auth.token_check import TokenError
from control_plane.apiserver.auth.user import User, authenticated

DELETED_LEEWAY_SECONDS = 60

Lookup = Callable[[str, str, str], Awaitable[Object | None]]


async def checked_account(lookup: Lookup, namespace: str, ref: Mapping[str, str]) -> Object:
    """The service account that `ref` names, by name and uid; raises TokenError."""
    obj = await lookup("serviceaccounts", namespace, ref.get("name", ""))
    if obj is None or is_long_gone(obj):
        raise TokenError(f"service account {namespace}/{ref.get('name')} has been deleted")
    if uid_of(obj) != ref.get("uid"):
        raise TokenError(
            f"service account UID ({uid_of(obj)}) does not match claim ({ref.get('uid')})"
        )
    return obj


def is_long_gone(obj: Object) -> bool:
    """Whether the object was deleted so long ago that nothing of it is believed."""
    deleted = dig(obj, "metadata", "deletionTimestamp", default=None)
    return bool(deleted) and time.time() > parse(deleted).timestamp() + DELETED_LEEWAY_SECONDS


def account_user(namespace: str, name: str, uid: str, extra: Mapping[str, tuple[str, ...]]) -> User:
    """The user that a service account is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return authenticated(f"system:serviceaccount:{namespace}:{name}", groups, uid, extra)
