"""The path and query parameters of the REST API, neutral between OpenAPI v2 and v3.

Called by operations.py, which picks them by action; v2.py and v3.py render them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `location` is "path" or "query"; those in the path are required."""

    name: str
    description: str
    type: str = "string"
    location: str = "query"


NAMESPACE: Final = Parameter(
    "namespace", "object name and auth scope, such as for teams and projects", location="path"
)
PRETTY: Final = Parameter("pretty", "If 'true', the output is indented for people to read.")

DRY_RUN: Final = Parameter(
    "dryRun", "'All' runs every stage of the request except for storing its result."
)
FIELD_MANAGER: Final = Parameter(
    "fieldManager",
    "Who is making these changes, at most 128 printable characters; fields are owned by managers.",
)
FIELD_VALIDATION: Final = Parameter(
    "fieldValidation",
    "What to do about unknown or repeated fields: Ignore drops them, Warn (the default) also sends "
    "a warning, Strict refuses the request.",
)
FORCE: Final = Parameter(
    "force", "Apply patches only: take over fields that other managers own.", "boolean"
)
WRITE: Final = (DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION)
PATCH: Final = (*WRITE, FORCE)

LABEL_SELECTOR: Final = Parameter("labelSelector", "Only objects whose labels match.")
FIELD_SELECTOR: Final = Parameter("fieldSelector", "Only objects whose fields match.")
RESOURCE_VERSION: Final = Parameter(
    "resourceVersion", "The version of the data from which the request may be served."
)
RESOURCE_VERSION_MATCH: Final = Parameter(
    "resourceVersionMatch", "How resourceVersion is applied to a list: Exact or NotOlderThan."
)
LIMIT: Final = Parameter("limit", "The largest number of objects to return at once.", "integer")
CONTINUE: Final = Parameter("continue", "Where the previous part of a limited list ended.")
TIMEOUT_SECONDS: Final = Parameter(
    "timeoutSeconds", "How long a list or watch may take.", "integer"
)
WATCH: Final = Parameter(
    "watch", "Send changes as they happen instead of the present objects.", "boolean"
)
ALLOW_WATCH_BOOKMARKS: Final = Parameter(
    "allowWatchBookmarks", "Let a watch carry BOOKMARK events, which tell its progress.", "boolean"
)
SEND_INITIAL_EVENTS: Final = Parameter(
    "sendInitialEvents",
    "Begin a watch with the present objects as ADDED events and a bookmark.",
    "boolean",
)
LIST: Final = (
    ALLOW_WATCH_BOOKMARKS,
    CONTINUE,
    FIELD_SELECTOR,
    LABEL_SELECTOR,
    LIMIT,
    RESOURCE_VERSION,
    RESOURCE_VERSION_MATCH,
    SEND_INITIAL_EVENTS,
    TIMEOUT_SECONDS,
    WATCH,
)

GRACE_PERIOD_SECONDS: Final = Parameter(
    "gracePeriodSeconds", "How long the object may take to end; 0 ends it at once.", "integer"
)
ORPHAN_DEPENDENTS: Final = Parameter(
    "orphanDependents", "Deprecated: use propagationPolicy.", "boolean"
)
PROPAGATION_POLICY: Final = Parameter(
    "propagationPolicy", "What becomes of dependents: Orphan, Background or Foreground."
)
DELETE: Final = (DRY_RUN, GRACE_PERIOD_SECONDS, ORPHAN_DEPENDENTS, PROPAGATION_POLICY)
DELETE_COLLECTION: Final = (
    CONTINUE,
    FIELD_SELECTOR,
    LABEL_SELECTOR,
    LIMIT,
    RESOURCE_VERSION,
    RESOURCE_VERSION_MATCH,
    TIMEOUT_SECONDS,
    *DELETE,
)

# Those of subresources whose query is not that of an object.
ATTACH: Final = (
    Parameter("container", "The container; the pod's only one when left out."),
    Parameter("stderr", "Send the process's standard error.", "boolean"),
    Parameter("stdin", "Connect the process's standard input.", "boolean"),
    Parameter("stdout", "Send the process's standard output.", "boolean"),
    Parameter("tty", "Give the process a terminal.", "boolean"),
)
EXEC: Final = (
    Parameter("command", "The command and its arguments, one parameter each."),
    *ATTACH,
)
PROXY: Final = (Parameter("path", "The path at the server that the request is passed on to."),)
PROXY_PATH: Final = Parameter("path", "path to the resource", location="path")
PORTFORWARD: Final = (
    Parameter("ports", "The ports to connect to; needed over WebSockets only.", "integer"),
)
LOG: Final = (
    Parameter("container", "The container; the pod's only one when left out."),
    Parameter("follow", "Keep sending as the log grows.", "boolean"),
    Parameter(
        "insecureSkipTLSVerifyBackend", "Do not look at the certificate of the node.", "boolean"
    ),
    Parameter("limitBytes", "Stop after so many bytes.", "integer"),
    Parameter("previous", "Show the container's previous instance.", "boolean"),
    Parameter("sinceSeconds", "Only lines of the last so many seconds.", "integer"),
    Parameter("sinceTime", "Only lines since this RFC 3339 time."),
    Parameter("tailLines", "Only so many lines from the end.", "integer"),
    Parameter("timestamps", "Begin every line with its time.", "boolean"),
)
