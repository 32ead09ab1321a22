"""The identity behind a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ANONYMOUS_NAME = "system:anonymous"
AUTHENTICATED_GROUP = "system:authenticated"


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


ANONYMOUS = User(ANONYMOUS_NAME, ("system:unauthenticated",))


def authenticated(name: str, groups: tuple[str, ...], uid: str = "") -> User:
    """A user who has proved who they are: a member of system:authenticated."""
    if AUTHENTICATED_GROUP not in groups:
        groups = (*groups, AUTHENTICATED_GROUP)
    return User(name, groups, uid)
