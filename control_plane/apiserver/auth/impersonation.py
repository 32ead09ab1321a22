"""Acting as somebody else: the headers Impersonate-User, -Group, -Uid and -Extra-KEY.

The user of the credentials needs the verb "impersonate" on each that is asked for; the request then
is the other user's. Source: the impersonation filter of Kubernetes v1.35.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from urllib.parse import unquote_to_bytes

from control_plane.api.errors import BadRequest
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.auth.rules import Attributes
from control_plane.apiserver.auth.user import (
    ANONYMOUS_NAME,
    AUTHENTICATED_GROUP,
    UNAUTHENTICATED_GROUP,
    User,
)

PREFIX = b"impersonate-"
_EXTRA = "extra-"
_GROUP = "authentication.k8s.io"
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a request wants to act as."""

    name: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def account(self) -> tuple[str, str] | None:
        """The namespace and name of a service account; None for other users."""
        namespace, separator, name = self.name.removeprefix(_ACCOUNT).partition(":")
        is_account = self.name.startswith(_ACCOUNT) and separator and namespace and name
        return (namespace, name) if is_account and ":" not in name else None


def impersonated(authorizer: Authorizer, user: User, lines: Sequence[tuple[bytes, bytes]]) -> User:
    """The user whom the headers name, or `user` without such headers.

    Raises Forbidden when `user` may not act as that one, BadRequest for groups of nobody.
    """
    if PREFIX not in b"\n".join(map(itemgetter(0), lines)):
        return user
    wanted = wanted_of(lines)
    if not wanted.name:
        references = " ".join(_references(wanted))
        if not references:
            return user
        raise BadRequest(f"requested [{references}] without impersonating a user")
    for asked in _questions(wanted):
        authorizer.authorize(user, asked)
    return User(wanted.name, _groups(wanted), wanted.uid, wanted.extra)


def wanted_of(lines: Sequence[tuple[bytes, bytes]]) -> Wanted:
    """Read the headers; the keys of extras are percent-decoded."""
    name, uid, groups, extra = "", "", [], dict[str, tuple[str, ...]]()
    for header, raw in lines:
        if not header.startswith(PREFIX):
            continue
        key, value = header[len(PREFIX) :].decode("latin-1"), raw.decode("utf-8", "replace")
        if key == "user":
            name = name or value
        elif key == "uid":
            uid = uid or value
        elif key == "group":
            groups.append(value)
        elif key.startswith(_EXTRA):
            key = unquote_to_bytes(key.removeprefix(_EXTRA)).decode("utf-8", "replace").lower()
            extra[key] = (*extra.get(key, ()), value)
    return Wanted(name, tuple(groups), uid, extra)


def _questions(wanted: Wanted) -> Iterator[Attributes]:
    if wanted.account is not None:
        namespace, name = wanted.account
        yield Attributes("impersonate", resource="serviceaccounts", namespace=namespace, name=name)
    else:
        yield Attributes("impersonate", resource="users", name=wanted.name)
    for group in wanted.groups:
        yield Attributes("impersonate", resource="groups", name=group)
    for key, values in wanted.extra.items():
        for value in values:
            yield Attributes("impersonate", "", _GROUP, "userextras", key, name=value)
    if wanted.uid:
        yield Attributes("impersonate", "", _GROUP, "uids", name=wanted.uid)


def _groups(wanted: Wanted) -> tuple[str, ...]:
    groups = wanted.groups
    if wanted.account is not None and not groups:
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{wanted.account[0]}")
    if wanted.name == ANONYMOUS_NAME:
        return groups if UNAUTHENTICATED_GROUP in groups else (*groups, UNAUTHENTICATED_GROUP)
    if AUTHENTICATED_GROUP in groups or UNAUTHENTICATED_GROUP in groups:
        return groups
    return (*groups, AUTHENTICATED_GROUP)


def _references(wanted: Wanted) -> Iterator[str]:
    """The things asked for, as object references that a Go program prints."""
    for group in wanted.groups:
        yield f"{{Group  {group}    }}"
    for key, values in wanted.extra.items():
        for value in values:
            yield f"{{UserExtra  {value}  {_GROUP}/v1  {key}}}"
    if wanted.uid:
        yield f"{{UID  {wanted.uid}  {_GROUP}/v1  }}"
