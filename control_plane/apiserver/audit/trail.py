"""One request as it is recorded: from its arrival to its end, an event at each stage.

The readers of bodies tell it of what they have read; all else is the request's own.
"""

from typing import TYPE_CHECKING, Any

import orjson

from control_plane.api.objects import Object, deep_copy
from control_plane.apiserver.audit.event import (
    agent,
    object_reference,
    source_addresses,
    without_managed_fields,
)
from control_plane.apiserver.audit.policy import LEVEL_NAMES, Detail, Level, Stage
from control_plane.apiserver.audit.request_info import RequestInfo
from control_plane.apiserver.auth.user import user_info
from control_plane.apiserver.latency import Latencies

if TYPE_CHECKING:
    from control_plane.apiserver.http.request import Request


PATCHED = "patch.webhook.admission.k8s.io/"
_QUOTING = ("BadRequest", "Invalid")


class Trail:
    """The record of a request that the policy wants recorded."""

    def __init__(
        self,
        request: "Request",
        info: RequestInfo,
        detail: Detail,
        arrived: str,
        latencies: Latencies,
    ) -> None:
        """Record a request that has `arrived` then, an RFC 3339 time with microseconds."""
        self.latencies = latencies
        self.info = info
        self.detail = detail
        self.panic = ""
        self._request = request
        self._received = arrived
        self._reference = object_reference(info, None) if info.is_resource else None
        self._request_object: Any = None

    def note_latencies(self, ended: float) -> None:
        """At its end: where the time of a request went that took long."""
        if not self.is_long_running:
            for key, value in self.latencies.annotations(ended).items():
                self._request.annotate(key, value)

    @property
    def is_long_running(self) -> bool:
        """Whether the beginning of the answer is a stage of its own."""
        return self.info.is_long_running

    @property
    def wants_response(self) -> bool:
        """Whether the object of the answer is recorded; that of a watch never is."""
        return self.detail.level >= Level.REQUEST_RESPONSE and not self.is_long_running

    def takes(self, stage: Stage) -> bool:
        """Whether the policy wants this stage."""
        return stage not in self.detail.omit_stages

    def note_object(self, obj: Object) -> None:
        """Take in the object of the body, as it is now."""
        if self._reference is not None and obj.get("kind") != "DeleteOptions":
            self._reference = object_reference(self.info, obj)
        if self.detail.level >= Level.REQUEST:
            self._request_object = self._shown(orjson.loads(orjson.dumps(obj)))

    def note_body(self, body: bytes) -> None:
        """Take in the body of a patch, which is no object; one in YAML is noted when it is read."""
        if self.info.verb == "patch" and self.detail.level >= Level.REQUEST:
            try:
                self._request_object = self._shown(orjson.loads(body))
            except orjson.JSONDecodeError:
                self._request_object = None

    def note_patch(self, document: Object) -> None:
        """Take in a patch that has been read."""
        if self.detail.level >= Level.REQUEST:
            self._request_object = self._shown(deep_copy(document))

    def event(self, stage: Stage, now: str, status: Object | None, response: Any = None) -> Object:
        """The event of a stage, with upstream's fields in upstream's order."""
        request = self._request
        impersonator = request.impersonator
        user = impersonator or request.user
        fields = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": LEVEL_NAMES[self.detail.level],
            "auditID": request.audit_id.decode(),
            "stage": str(stage),
            "requestURI": _uri(request),
            "verb": self.info.verb,
            "user": user_info(user) if not request.is_unidentified else {},
            "impersonatedUser": user_info(request.user) if impersonator is not None else None,
            "sourceIPs": source_addresses(request.headers, request.client),
            "userAgent": agent(request.header(b"user-agent")),
            "objectRef": self._reference,
            "responseStatus": self._status(status),
            "requestObject": self._request_object,
            "responseObject": self._shown(response),
            "requestReceivedTimestamp": self._received,
            "stageTimestamp": now,
            "annotations": self._annotations(),
        }
        return {key: value for key, value in fields.items() if key in _ALWAYS or value}

    def _status(self, status: Object | None) -> Object | None:
        """The answer's status; what is said against a secret may quote it."""
        if status is None or self.detail.level >= Level.REQUEST or self.info.resource != "secrets":
            return status
        if status.get("reason") not in _QUOTING:
            return status
        return {key: value for key, value in status.items() if key not in ("message", "details")}

    def _annotations(self) -> dict[str, str]:
        """What has been noted of the request; patches hold values, as its object does."""
        shows_objects = self.detail.level >= Level.REQUEST
        noted = self._request.annotations.items()
        return {key: value for key, value in noted if shows_objects or not key.startswith(PATCHED)}

    def _shown(self, document: Any) -> Any:
        omits = self.detail.omit_managed_fields
        return without_managed_fields(document) if omits else document


_ALWAYS = frozenset({"user", "requestURI", "verb"})


def _uri(request: "Request") -> str:
    query = request.query_string.decode("latin-1")
    return f"{request.raw_path}?{query}" if query else request.raw_path
