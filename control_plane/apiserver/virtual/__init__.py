"""Resources that are not stored: what is created is a question, or an order, answered at once.

VIRTUAL maps (group, plural, verb) to the function that serves it; every verb of a row in RESOURCES
without storage has a line here.
"""

from collections.abc import Awaitable, Callable, Mapping

from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.subresources import binding
from control_plane.apiserver.virtual import access, components, identity

__all__ = ["VIRTUAL"]

VIRTUAL: Mapping[
    tuple[str, str, str], Callable[[ApiServices, Request, Target], Awaitable[Reply]]
] = {
    ("", "bindings", "create"): binding.create_by_name,
    ("", "componentstatuses", "get"): components.read,
    ("", "componentstatuses", "list"): components.read_many,
    ("authentication.k8s.io", "selfsubjectreviews", "create"): identity.review_self,
    ("authentication.k8s.io", "tokenreviews", "create"): identity.review_token,
    ("authorization.k8s.io", "localsubjectaccessreviews", "create"): access.review_local,
    ("authorization.k8s.io", "selfsubjectaccessreviews", "create"): access.review_self,
    ("authorization.k8s.io", "selfsubjectrulesreviews", "create"): access.review_rules,
    ("authorization.k8s.io", "subjectaccessreviews", "create"): access.review_subject,
}
