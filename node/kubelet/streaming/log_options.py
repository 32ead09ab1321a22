"""Which container's log a request means, and which part of it. Pure.

Called by streaming/container_logs.py. Source: kubelet validateContainerLogStatus, PodLogOptions
validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from node.kubelet.pod_spec import find_status
from node.kubelet.runtimes.base import LogQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object

_TRUE = ("1", "true", "True")
_PULLING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class LogRefusal(Exception):
    """The log cannot be had; `code` is the HTTP status."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What was asked for; limit_bytes None means all."""

    query: LogQuery
    previous: bool = False
    limit_bytes: int | None = None


def parse_options(params: Mapping[str, str], now: float) -> LogOptions:
    """Read the query string; raises LogRefusal (422) for values that make no sense."""
    tail, limit = _integer(params, "tailLines", 0), _integer(params, "limitBytes", 1)
    seconds = _integer(params, "sinceSeconds", 1)
    if seconds is not None and params.get("sinceTime"):
        raise LogRefusal(422, "at most one of `sinceTime` or `sinceSeconds` may be specified")
    since = now - seconds if seconds is not None else _since_time(params.get("sinceTime", ""))
    return LogOptions(
        LogQuery(
            follow=params.get("follow") in _TRUE,
            tail=-1 if tail is None else tail,
            since=since,
            timestamps=params.get("timestamps") in _TRUE,
        ),
        previous=params.get("previous") in _TRUE,
        limit_bytes=limit,
    )


def log_container_id(pod: Object, name: str, *, previous: bool) -> str:
    """Return the id of the container whose log is meant; raises LogRefusal (400) when there is
    none.
    """
    status = find_status(pod, name)
    state, last = status.get("state") or {}, status.get("lastState") or {}
    ended_before = (last.get("terminated") or {}).get("containerID", "")
    if previous:
        found = ended_before
        if not found:
            text = f'previous terminated container "{name}" in pod "{pod["metadata"]["name"]}"'
            raise LogRefusal(400, f"{text} not found")
    elif "running" in state:
        found = status.get("containerID", "")
    else:
        found = (state.get("terminated") or {}).get("containerID", "") or ended_before
    if not found:
        raise LogRefusal(400, _why_not(pod, name, state))
    return str(found).rpartition("//")[2]


def _why_not(pod: Object, name: str, state: Object) -> str:
    subject = f'container "{name}" in pod "{pod["metadata"]["name"]}"'
    if "terminated" in state:
        return f"{subject} is terminated"
    if "waiting" not in state:
        return f"{subject} is not available"
    reason = state["waiting"].get("reason", "")
    return f"{subject} is waiting to start: {_PULLING.get(reason, reason)}"


def _integer(params: Mapping[str, str], name: str, least: int) -> int | None:
    text = params.get(name, "")
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        raise LogRefusal(422, f"{name}: Invalid value: {text!r}: must be an integer") from None
    if value < least:
        raise LogRefusal(422, f"{name}: Invalid value: {value}: must be at least {least}")
    return value


def _since_time(text: str) -> float:
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise LogRefusal(422, f"sinceTime: Invalid value: {text!r}: must be RFC 3339") from None
