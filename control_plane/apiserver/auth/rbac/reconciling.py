"""How a stored role or binding becomes what this release wants it to be. Pure.

What is missing is added, what is more stays. Objects whose annotation says so are left alone.
Source: the reconciliation of the bootstrap policy, Kubernetes v1.35.
"""

from control_plane.api.objects import Object, annotations_of, dig, labels_of
from control_plane.apiserver.auth.rbac.bootstrap_policy import AUTOUPDATE
from control_plane.apiserver.auth.rbac.coverage import uncovered
from control_plane.apiserver.auth.rbac.permissions import rules_of

_SUBJECT = ("kind", "apiGroup", "namespace", "name")


def reconciled(current: Object, wanted: Object) -> Object | None:
    """The object as it should be; None when it is so already, or nobody's business."""
    if annotations_of(current).get(AUTOUPDATE) == "false":
        return None
    new = {**current, "metadata": _metadata(current, wanted)}
    if "roleRef" in wanted:
        new["subjects"] = _union(current, wanted)
    else:
        new["rules"] = _rules(current, wanted)
        if wanted.get("aggregationRule"):
            new["aggregationRule"] = {"clusterRoleSelectors": _selectors(current, wanted)}
    same = all(new[key] == (current.get(key) or _EMPTY.get(key)) for key in new)
    return None if same else new


_EMPTY: Object = {"subjects": [], "rules": []}


def is_of_another_role(current: Object, wanted: Object) -> bool:
    """Whether a binding has to be made anew: it can never change its role."""
    is_protected = annotations_of(current).get(AUTOUPDATE) == "false"
    return not is_protected and current.get("roleRef") != wanted.get("roleRef")


def _metadata(current: Object, wanted: Object) -> Object:
    return {
        **current["metadata"],
        "labels": {**labels_of(wanted), **labels_of(current)},
        "annotations": {**annotations_of(wanted), **annotations_of(current)},
    }


def _rules(current: Object, wanted: Object) -> list[Object]:
    rules = current.get("rules") or []
    missing = uncovered(rules_of(wanted.get("rules")), rules_of(rules).allow)
    return [*rules, *(permission.rule() for permission in missing)]


def _selectors(current: Object, wanted: Object) -> list[Object]:
    path = ("aggregationRule", "clusterRoleSelectors")
    selectors = dig(current, *path, default=None) or []
    return [*selectors, *(one for one in dig(wanted, *path) if one not in selectors)]


def _union(current: Object, wanted: Object) -> list[Object]:
    subjects = current.get("subjects") or []
    known = [_identity(subject) for subject in subjects]
    missing = (one for one in wanted.get("subjects") or () if _identity(one) not in known)
    return [*subjects, *missing]


def _identity(subject: Object) -> tuple[str, ...]:
    return tuple(subject.get(field) or "" for field in _SUBJECT)
