"""The conditions of a signing request. Pure."""

from control_plane.api.objects import Object, dig


def condition_of(request: Object, kind: str) -> Object | None:
    """The condition of that type, or None."""
    found = dig(request, "status", "conditions", default=[])
    return next((one for one in found if one.get("type") == kind), None)


def certificate_of(request: Object) -> str:
    """The issued certificate in base64, "" for none."""
    return str(dig(request, "status", "certificate", default="") or "")


def with_condition(request: Object, kind: str, reason: str, message: str, now: str) -> Object:
    """The request with one more condition, which is true."""
    status = dict(request.get("status") or {})
    condition = {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
    }
    status["conditions"] = [*status.get("conditions", ()), condition]
    return {**request, "status": status}
