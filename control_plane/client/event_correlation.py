"""Which events are worth writing, and which are repeats of one written before. Pure.

Used by events.py. Three rules of client-go's EventCorrelator, each with a memory of 4096 entries of
which the longest unused goes first:
* spam: per source, object and type 25 at once, then one in 5 minutes; the rest is dropped;
* similar: the tenth different message within 10 minutes of one source, object, type and reason, and
  those after it, become one event "(combined from similar events): …";
* repeat: an event equal but for its times is the old one with its count raised.
Source: client-go tools/record/events_cache.go.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from control_plane.api.objects import Object
from control_plane.client.rate_limit import TokenBucket

MEMORY_ENTRIES = 4096
SPAM_BURST = 25.0
SPAM_RATE = 1 / 300
SIMILAR_LIMIT = 10
SIMILAR_SECONDS = 600.0
COMBINED_PREFIX = "(combined from similar events): "

Value = TypeVar("Value")


class _Memory(Generic[Value]):
    """A dict that forgets its longest unused entry when it is full."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, Value] = OrderedDict()

    def get(self, key: str) -> Value | None:
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: str, value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > MEMORY_ENTRIES:
            self._entries.popitem(last=False)


@dataclass(slots=True)
class _Similar:
    """The different messages seen lately under one aggregation key."""

    seen_at: float
    messages: set[str] = field(default_factory=set)


class EventCorrelator:
    """Decides what becomes of each event; `now` is monotonic seconds."""

    def __init__(self) -> None:
        """Start without memory."""
        self._buckets: _Memory[TokenBucket] = _Memory()
        self._similar: _Memory[_Similar] = _Memory()
        self._written: _Memory[Object] = _Memory()

    def correlate(self, event: Object, now: float) -> tuple[str, Object] | None:
        """Return (memory key, event to write), or None when there are too many.

        An event that has a resourceVersion is one to patch, with its count already raised.
        """
        if not self._bucket(event).allow(now):
            return None
        key, event = self._combined(event, now)
        if (previous := self._written.get(key)) is None:
            return key, event
        return key, repeated(previous, event)

    def remember(self, key: str, written: Object) -> None:
        """Note what the server stored for `key`, for its next repeat to build on."""
        self._written.put(key, written)

    def _bucket(self, event: Object) -> TokenBucket:
        key = _key(event, "source", "involvedObject", "type")
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = TokenBucket(SPAM_RATE, SPAM_BURST)
            self._buckets.put(key, bucket)
        return bucket

    def _combined(self, event: Object, now: float) -> tuple[str, Object]:
        key = _key(event, "source", "involvedObject", "type", "reason", "action")
        similar = self._similar.get(key)
        if similar is None or now - similar.seen_at > SIMILAR_SECONDS:
            similar = _Similar(now)
            self._similar.put(key, similar)
        similar.seen_at = now
        similar.messages.add(event["message"])
        if len(similar.messages) < SIMILAR_LIMIT:
            return f"{key}\0{event['message']}", event
        similar.messages.pop()  # never grows beyond the limit
        return key, event | {"message": COMBINED_PREFIX + event["message"]}


def repeated(previous: Object, event: Object) -> Object:
    """Return the stored event `previous` as it looks after `event` repeated it.

    The classic form counts; the form with an eventTime keeps a series, whose first repeat is 2.
    """
    latest = previous | {"message": event["message"]}
    if event.get("eventTime"):
        count = (previous.get("series") or {}).get("count", 1)
        latest["series"] = {"count": count + 1, "lastObservedTime": event["eventTime"]}
    else:
        latest["count"] = previous.get("count", 1) + 1
        latest["lastTimestamp"] = event["lastTimestamp"]
    return latest


def _key(event: Object, *fields: str) -> str:
    """Join the named fields into one text; objects in them are taken field by field, sorted."""
    return "\0".join(_text(event.get(name, "")) for name in fields)


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "\1".join(f"{name}={value[name]}" for name in sorted(value) if name != _VOLATILE)
    return str(value)


_VOLATILE = "resourceVersion"  # of the involved object: it changes with every write
