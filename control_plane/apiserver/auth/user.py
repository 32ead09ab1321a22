"""The identity behind a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from control_plane.api.objects import Object

ANONYMOUS_NAME = "system:anonymous"
AUTHENTICATED_GROUP = "system:authenticated"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
MASTERS_GROUP = "system:masters"
UNAUTHENTICATED_GROUP = "system:unauthenticated"


@dataclass(frozen=True, slots=True)
class User:
    """A name, its groups, and what else the authenticator knows."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody in particular is asking."""
        return self.name == ANONYMOUS_NAME


ANONYMOUS = User(ANONYMOUS_NAME, (UNAUTHENTICATED_GROUP,))


def authenticated(
    name: str,
    groups: tuple[str, ...],
    uid: str = "",
    extra: Mapping[str, tuple[str, ...]] | None = None,
) -> User:
    """A user who has proved who they are: a member of system:authenticated."""
    if AUTHENTICATED_GROUP not in groups:
        groups = (*groups, AUTHENTICATED_GROUP)
    return User(name, groups, uid, extra or {})


def user_info(user: User) -> Object:
    """The user as authentication.k8s.io shows one; what is empty is left out."""
    shown: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    shown["extra"] = {key: list(values) for key, values in sorted(user.extra.items())}
    return {key: value for key, value in shown.items() if value}
