"""Authorization: each of AUTHORIZERS may allow; when none does, the answer is 403.

For now the cluster's own components may do everything and other users may only discover; role-based
rules are one more row. Source of the texts: Kubernetes v1.35.
"""

from collections.abc import Callable
from dataclasses import dataclass

from control_plane.api.errors import Forbidden, Unauthorized
from control_plane.apiserver.auth.user import User

_COMPONENTS = frozenset(
    {
        "system:kube-scheduler",
        "system:kube-controller-manager",
        "kube-apiserver-kubelet-client",
    }
)
_PUBLIC_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/version", "/version/"})
_DISCOVERY_PATHS = frozenset(
    {
        "/",
        "/api",
        "/apis",
        "/api/",
        "/apis/",
        "/.well-known/openid-configuration",
        "/openid/v1/jwks",
    }
)
_DISCOVERY_TREES = ("/openapi/", "/livez/", "/readyz/", "/healthz/")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked: an action on a resource, or (with an empty `resource`) a verb on a path."""

    verb: str
    path: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def full_resource(self) -> str:
        """The resource with its subresource, as in pods/exec."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def _masters(user: User, _: Attributes) -> bool:
    return "system:masters" in user.groups


def _components(user: User, _: Attributes) -> bool:
    return user.name in _COMPONENTS or "system:nodes" in user.groups


def _discovery(user: User, attributes: Attributes) -> bool:
    if attributes.resource or attributes.verb not in ("get", "head"):
        return False
    if attributes.path in _PUBLIC_PATHS:
        return True
    return not user.is_anonymous and is_discovery(attributes.path)


def is_discovery(path: str) -> bool:
    """Whether a path tells only what the server serves."""
    if path in _DISCOVERY_PATHS or path.startswith(_DISCOVERY_TREES):
        return True
    parts = path.strip("/").split("/")
    return (parts[0] == "api" and len(parts) <= 2) or (parts[0] == "apis" and len(parts) <= 3)


AUTHORIZERS: tuple[Callable[[User, Attributes], bool], ...] = (_masters, _components, _discovery)


def authorize(user: User, attributes: Attributes) -> None:
    """Return if `user` may; raise Unauthorized for nobody in particular, else Forbidden."""
    if any(allows(user, attributes) for allows in AUTHORIZERS):
        return
    if user.is_anonymous:
        raise Unauthorized("Unauthorized")
    raise _forbidden(user, attributes)


def denial(user: User, attributes: Attributes) -> str:
    """The text of the 403, without what stands before "is forbidden:"."""
    if not attributes.resource:
        return f'User "{user.name}" cannot {attributes.verb} path "{attributes.path}"'
    place = (
        f'in the namespace "{attributes.namespace}"'
        if attributes.namespace
        else "at the cluster scope"
    )
    return (
        f'User "{user.name}" cannot {attributes.verb} resource "{attributes.full_resource}" '
        f'in API group "{attributes.group}" {place}'
    )


class _Named:
    """What a Forbidden error needs to know of a resource."""

    def __init__(self, attributes: Attributes) -> None:
        self.group = attributes.group
        self.plural = attributes.resource


def _forbidden(user: User, attributes: Attributes) -> Forbidden:
    why = denial(user, attributes)
    if not attributes.resource:
        return Forbidden.of(None, "", why)
    return Forbidden.of(_Named(attributes), attributes.name, why)
