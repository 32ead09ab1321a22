"""Subresources that are more than a half of their parent.

SUBRESOURCES maps (name, verb) to the function that serves it. `status` has no row: it is the parent
written through another strategy.
"""

from collections.abc import Awaitable, Callable, Mapping

from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.subresources import binding, execution, finalize, logs, scale, token

__all__ = ["SUBRESOURCES"]

SUBRESOURCES: Mapping[
    tuple[str, str], Callable[[ApiServices, Request, Target], Awaitable[Reply]]
] = {
    ("binding", "create"): binding.create,
    ("exec", "create"): execution.upgrade_required,
    ("exec", "get"): execution.relay,
    ("finalize", "update"): finalize.update,
    ("log", "get"): logs.read,
    ("scale", "get"): scale.read,
    ("scale", "patch"): scale.patch,
    ("scale", "update"): scale.update,
    ("token", "create"): token.create,
}
