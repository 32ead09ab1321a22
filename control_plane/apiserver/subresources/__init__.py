"""Subresources that are more than a half of their parent.

SUBRESOURCES maps (name, verb) to the function that serves it. `status` has no row: it is the parent
written through another strategy.
"""

from collections.abc import Awaitable, Callable, Mapping

from control_plane.api.resource import PROXY
from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.subresources import (
    binding,
    eviction,
    execution,
    finalize,
    logs,
    port_forward,
    proxy,
    scale,
    token,
)

__all__ = ["SUBRESOURCES"]


SUBRESOURCES: Mapping[
    tuple[str, str], Callable[[ApiServices, Request, Target], Awaitable[Reply]]
] = {
    ("attach", "create"): execution.attach,
    ("attach", "get"): execution.attach,
    ("binding", "create"): binding.create,
    ("eviction", "create"): eviction.create,
    ("exec", "create"): execution.execute,
    ("exec", "get"): execution.execute,
    ("finalize", "update"): finalize.update,
    ("log", "get"): logs.read,
    ("portforward", "create"): port_forward.connect,
    ("portforward", "get"): port_forward.connect,
    **{("proxy", verb): proxy.connect for verb in (*PROXY, "options")},
    ("scale", "get"): scale.read,
    ("scale", "patch"): scale.patch,
    ("scale", "update"): scale.update,
    ("token", "create"): token.create,
}
