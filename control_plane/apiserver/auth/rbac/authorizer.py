"""The RBAC authorizer: decides by the cluster's roles and bindings as the watch caches have them.

The caches tell it of every change as they take it in, so that a decision reads memory and nothing
else. It never denies: another authorizer may still allow. Source: the RBAC authorizer of
Kubernetes v1.35.
"""

from collections.abc import Iterable, Iterator

from control_plane.apiserver.auth.decision import NO_OPINION, Decision
from control_plane.apiserver.auth.rbac.bindings import Bindings
from control_plane.apiserver.auth.rbac.permissions import Permissions, question_of
from control_plane.apiserver.auth.rules import Attributes, Rules
from control_plane.apiserver.auth.user import User


class RbacAuthorizer:
    """Asks `bindings`."""

    def __init__(self, bindings: Bindings) -> None:
        """Use bindings that somebody keeps current."""
        self._bindings = bindings

    @property
    def knows_roles(self) -> bool:
        """Whether any role has been read yet."""
        return self._bindings.has_roles

    def decide(self, user: User, asked: Attributes) -> Decision:
        """Say whether a role allows it, and which."""
        question = question_of(asked)
        namespaces = ("", asked.namespace) if asked.resource and asked.namespace else ("",)
        missing: list[str] = []
        for permissions in self._permissions(user, namespaces):
            reason = permissions.reason(question)
            if reason:
                return Decision(allowed=True, reason=reason)
            missing += permissions.missing
        return _denial(missing) if missing else NO_OPINION

    def rules_of(self, user: User, namespace: str) -> Rules:
        """All that roles allow the user in a namespace and at the scope of the cluster."""
        found = list(self._permissions(user, ("", namespace) if namespace else ("",)))
        rules = [rules for permissions in found for rules in permissions.rules]
        missing = [text for permissions in found for text in permissions.missing]
        return Rules(
            tuple(rule for some in rules for rule in some.resources),
            tuple(rule for some in rules for rule in some.paths),
            incomplete=bool(missing),
            error=aggregate(missing),
        )

    def _permissions(self, user: User, namespaces: Iterable[str]) -> Iterator[Permissions]:
        subjects = (("User", user.name), *(("Group", group) for group in user.groups))
        find = self._bindings.permissions
        for namespace in namespaces:
            for subject in subjects:
                permissions = find(subject, namespace)
                if permissions is not None:
                    yield permissions


def _denial(missing: list[str]) -> Decision:
    return Decision(allowed=False, reason=f"RBAC: {aggregate(missing)}")


def aggregate(errors: Iterable[str]) -> str:
    """Several errors in one text, each once."""
    texts = list(dict.fromkeys(errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else ""
