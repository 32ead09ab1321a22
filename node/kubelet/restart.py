"""Whether an exited container starts again, and when. Pure, the time is an argument.

Called by pod_actions.py, status/ and the pod worker. Source: kubelet ShouldContainerBeRestarted;
client-go flowcontrol back-off (the interval doubles on each restart, and is forgotten when the
container ran for twice the maximum).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from node.kubelet.pod_spec import restart_policy

if TYPE_CHECKING:
    from control_plane.api.objects import Object

BACKOFF_INITIAL_SECONDS = 10.0
BACKOFF_MAX_SECONDS = 300.0


def restarts(pod: Object, container: Object, exit_code: int) -> bool:
    """Return whether `container`, which ended with `exit_code`, is to run again.

    The container's own restart policy (with its rules first) wins over the pod's. Deleted pods
    restart nothing.
    """
    if pod["metadata"].get("deletionTimestamp"):
        return False
    policy = container.get("restartPolicy") or restart_policy(pod)
    for rule in container.get("restartPolicyRules") or ():
        if rule.get("action") == "Restart" and _matches(rule.get("exitCodes") or {}, exit_code):
            return True
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def may_ever_restart(pod: Object, container: Object) -> bool:
    """Return whether killing a running container leads to a new one."""
    policy = container.get("restartPolicy") or restart_policy(pod)
    return policy != "Never" or bool(container.get("restartPolicyRules"))


def _matches(exit_codes: Object, exit_code: int) -> bool:
    listed = exit_code in (exit_codes.get("values") or ())
    return listed if exit_codes.get("operator") == "In" else not listed


@dataclass(slots=True)
class _Entry:
    seconds: float
    updated_at: float


@dataclass(slots=True)
class Backoff:
    """Growing delays by key. Times are seconds of one clock, whichever the caller uses.

    Bound: one entry a key; `prune` drops those unused for twice the maximum delay.
    """

    initial_seconds: float = BACKOFF_INITIAL_SECONDS
    max_seconds: float = BACKOFF_MAX_SECONDS
    _entries: dict[str, _Entry] = field(default_factory=dict)

    def remaining(self, key: str, since: float, now: float) -> float:
        """Return how long to wait before acting on what happened at `since`; 0 means act."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, since):
            return 0.0
        return max(0.0, since + entry.seconds - now)

    def remaining_since_update(self, key: str, now: float) -> float:
        """Return how long to wait counted from the last `advance`."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, now):
            return 0.0
        return max(0.0, entry.updated_at + entry.seconds - now)

    def advance(self, key: str, since: float, now: float) -> float:
        """Note that something was tried now; return the delay that applies from here on."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, since):
            seconds = self.initial_seconds
        else:
            seconds = min(entry.seconds * 2, self.max_seconds)
        self._entries[key] = _Entry(seconds, now)
        return seconds

    def current(self, key: str) -> float:
        """Return the delay last set for `key`, 0 when there is none."""
        entry = self._entries.get(key)
        return entry.seconds if entry is not None else 0.0

    def forget(self, prefix: str) -> None:
        """Drop every key that starts with `prefix`."""
        for key in [key for key in self._entries if key.startswith(prefix)]:
            del self._entries[key]

    def prune(self, now: float) -> None:
        """Drop what has not been used for twice the maximum delay."""
        for key in [key for key, entry in self._entries.items() if self._expired(entry, now)]:
            del self._entries[key]

    def _expired(self, entry: _Entry, at: float) -> bool:
        return at - entry.updated_at > self.max_seconds * 2


def go_duration(seconds: float) -> str:
    """Return whole seconds as upstream prints durations: 10s, 1m20s, 5m0s, 1h0m0s."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
