"""Which objects an owner keeps, adopts and releases, as a table."""

import pytest

from control_plane.api.objects import Object
from control_plane.controllers.ownership import plan_claims

DELETED = "2026-01-02T03:04:05Z"


def candidate(owner: str | None, *, matches: bool = True, deleted: bool = False) -> Object:
    meta: Object = {"name": "c", "labels": {"app": "web" if matches else "other"}}
    if owner is not None:
        meta["ownerReferences"] = [{"uid": owner, "controller": True}]
    return {"metadata": meta | ({"deletionTimestamp": DELETED} if deleted else {})}


def owned_without_control() -> Object:
    given = candidate(None)
    given["metadata"]["ownerReferences"] = [{"uid": "other"}]
    return given


@pytest.mark.parametrize(
    ("given", "living", "dying"),
    [
        pytest.param(candidate("other"), "", "", id="of another"),
        pytest.param(candidate("me"), "keep", "keep", id="mine"),
        pytest.param(candidate("me", deleted=True), "keep", "keep", id="mine being deleted"),
        pytest.param(candidate("me", matches=False), "release", "", id="mine without match"),
        pytest.param(candidate(None), "adopt", "", id="orphan"),
        pytest.param(candidate(None, matches=False), "", "", id="orphan without match"),
        pytest.param(candidate(None, deleted=True), "", "", id="orphan being deleted"),
        pytest.param(owned_without_control(), "adopt", "", id="owned but not controlled"),
    ],
)
def test_claims(given: Object, living: str, dying: str) -> None:
    for expected, deleted in ((living, False), (dying, True)):
        owner: Object = {"metadata": {"name": "o", "uid": "me"}}
        if deleted:
            owner["metadata"]["deletionTimestamp"] = DELETED

        claims = plan_claims(owner, lambda one: one["metadata"]["labels"]["app"] == "web", [given])

        found = {name for name in ("keep", "adopt", "release") if getattr(claims, name)}
        assert found == ({expected} if expected else set())
