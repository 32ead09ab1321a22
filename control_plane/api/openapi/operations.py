"""The operations of the REST API, derived from the resource table, in no OpenAPI version yet.

Each row gives the paths of its collection, its objects and its subresources, and each of its verbs
one operation on them. Called by v2.py and v3.py. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from control_plane.api.deleted_objects import DOCUMENTED
from control_plane.api.openapi import parameters
from control_plane.api.openapi.custom import definition_name
from control_plane.api.openapi.watch_operations import WATCH_EVENT, watch_paths
from control_plane.api.schema import META_V1, schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.openapi.parameters import Parameter
    from control_plane.api.resources import Resource, Subresource

STATUS: Final = META_V1 + "Status"
DELETE_OPTIONS: Final = META_V1 + "DeleteOptions"
PATCH_BODY: Final = META_V1 + "Patch"

PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
OBJECT_TYPES: Final = ("application/json", "application/yaml", PROTOBUF)
LIST_TYPES: Final = (*OBJECT_TYPES, "application/json;stream=watch", f"{PROTOBUF};stream=watch")
STRATEGIC: Final = "application/strategic-merge-patch+json"
PATCH_TYPES: Final = (
    "application/json-patch+json",
    "application/merge-patch+json",
    STRATEGIC,
    "application/apply-patch+yaml",
)
TEXT: Final = ("text/plain",)
ANY: Final = ("*/*",)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path.

    `action` is upstream's x-kubernetes-action; what is about no kind has none. `body` and `answer`
    are definition names, None for no body and for an answer that is plain text. `codes` are the
    success codes, with their reason phrases in v2.py and v3.py.
    """

    path: str
    method: str
    action: str
    operation_id: str
    description: str
    tag: str
    group_version_kind: tuple[str, str, str] | None
    parameters: tuple[Parameter, ...]
    body: str | None = None
    answer: str | None = None
    codes: tuple[int, ...] = (200,)
    consumes: tuple[str, ...] = ANY
    produces: tuple[str, ...] = OBJECT_TYPES


@dataclass(frozen=True, slots=True)
class _Verb:
    """How a verb appears: words of its operation id and action, parameters, bodies, codes.

    In `body` and `answer` "object" stands for the resource's own definition and "list" for that of
    its list.
    """

    method: str
    action: str
    word: str
    parameters: tuple[Parameter, ...] = ()
    body: str = ""
    answer: str = "object"
    codes: tuple[int, ...] = (200,)
    consumes: tuple[str, ...] = ANY
    produces: tuple[str, ...] = OBJECT_TYPES


_COLLECTION_VERBS: Final = {
    "list": _Verb("get", "list", "list", parameters.LIST, answer="list", produces=LIST_TYPES),
    "create": _Verb(
        "post", "post", "create", parameters.WRITE, body="object", codes=(200, 201, 202)
    ),
    "deletecollection": _Verb(
        "delete",
        "deletecollection",
        "delete Collection",
        parameters.DELETE_COLLECTION,
        body=DELETE_OPTIONS,
        answer=STATUS,
    ),
}
_OBJECT_VERBS: Final = {
    "get": _Verb("get", "get", "read"),
    "update": _Verb("put", "put", "replace", parameters.WRITE, body="object", codes=(200, 201)),
    "patch": _Verb(
        "patch",
        "patch",
        "patch",
        parameters.PATCH,
        body=PATCH_BODY,
        codes=(200, 201),
        consumes=PATCH_TYPES,
    ),
    "delete": _Verb(
        "delete",
        "delete",
        "delete",
        parameters.DELETE,
        body=DELETE_OPTIONS,
        answer=STATUS,
        codes=(200, 202),
    ),
}
_DELETE_ANSWERED: Final = replace(_OBJECT_VERBS["delete"], answer="object")
_SUBRESOURCE_VERBS: Final = {**_OBJECT_VERBS, "create": _COLLECTION_VERBS["create"]}
_PROXY: Final = tuple(
    _Verb(method, "connect", f"connect {method.title()}", parameters.PROXY, answer="", produces=ANY)
    for method in ("get", "put", "post", "delete", "options", "head", "patch")
)
# Subresources that are streams: their query, and the methods that open them.
_STREAMS: Final = {
    ("nodes", "proxy"): _PROXY,
    ("pods", "attach"): (
        _Verb("get", "connect", "connect Get", parameters.ATTACH, answer="", produces=ANY),
        _Verb("post", "connect", "connect Post", parameters.ATTACH, answer="", produces=ANY),
    ),
    ("pods", "exec"): (
        _Verb("get", "connect", "connect Get", parameters.EXEC, answer="", produces=ANY),
        _Verb("post", "connect", "connect Post", parameters.EXEC, answer="", produces=ANY),
    ),
    ("pods", "portforward"): (
        _Verb("get", "connect", "connect Get", parameters.PORTFORWARD, answer="", produces=ANY),
        _Verb("post", "connect", "connect Post", parameters.PORTFORWARD, answer="", produces=ANY),
    ),
    ("pods", "proxy"): _PROXY,
    ("services", "proxy"): _PROXY,
    ("pods", "log"): (_Verb("get", "get", "read", parameters.LOG, answer="", produces=TEXT),),
}


def operations(row: Resource) -> Iterator[Operation]:
    """Yield every operation on a resource and its subresources."""
    scope = "Namespaced" if row.namespaced else ""
    collection = row.path("{namespace}")
    for verb in _picked(_COLLECTION_VERBS, row.verbs):
        yield _operation(row, verb, collection, scope)
    for verb in _picked(_object_verbs(row), row.verbs):
        yield _operation(row, verb, f"{collection}/{{name}}", scope)
    if row.namespaced and "list" in row.verbs:
        yield _operation(row, _COLLECTION_VERBS["list"], row.path(), "", "ForAllNamespaces")
    for sub in sorted(row.subresources, key=lambda sub: sub.name):
        for verb in _sub_verbs(row, sub):
            path = f"{collection}/{{name}}/{sub.name}"
            yield _operation(row, verb, path, scope, sub=sub)
            if sub.name == "proxy":
                yield _operation(row, verb, f"{path}/{{path}}", scope, "WithPath", sub=sub)
    for path, action, subject in watch_paths(row):
        yield _watch(row, path, action, subject)


def _object_verbs(row: Resource) -> dict[str, _Verb]:
    return {**_OBJECT_VERBS, "delete": _DELETE_ANSWERED} if row in DOCUMENTED else _OBJECT_VERBS


def extensions(operation: Operation) -> dict[str, object]:
    """Return what is said of an operation's kind, in either version; nothing without a kind."""
    if operation.group_version_kind is None:
        return {}
    group, version, kind = operation.group_version_kind
    return {
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
    }


def _picked(verbs: dict[str, _Verb], served: tuple[str, ...]) -> list[_Verb]:
    return [verb for name, verb in verbs.items() if name in served]


def _sub_verbs(row: Resource, sub: Subresource) -> list[_Verb]:
    stream = _STREAMS.get((row.plural, sub.name))
    return list(stream) if stream else _picked(_SUBRESOURCE_VERBS, sub.verbs)


def _operation(
    row: Resource,
    verb: _Verb,
    path: str,
    scope: str,
    suffix: str = "",
    *,
    sub: Subresource | None = None,
) -> Operation:
    group, version, kind = _identity(row, sub)
    subject = f"{row.kind}{_camel(sub.name) if sub else ''}{suffix}"
    return Operation(
        path=path,
        method=verb.method,
        action=verb.action,
        operation_id=_operation_id(row, verb.word, f"{scope}{subject}"),
        description=f"{verb.action} {sub.name + ' of ' if sub else ''}{row.plural}",
        tag=f"{tag_of(row.group)}_{row.version}",
        group_version_kind=(group, version, kind),
        parameters=(*_path_parameters(path, row.kind), *verb.parameters, parameters.PRETTY),
        body=_definition(verb.body, row, (group, version, kind)),
        answer=_definition(verb.answer, row, (group, version, kind)),
        codes=verb.codes,
        consumes=_offered(verb.consumes, row),
        produces=_offered(verb.produces, row),
    )


def _watch(row: Resource, path: str, action: str, subject: str) -> Operation:
    return Operation(
        path=path,
        method="get",
        action=action,
        operation_id=_operation_id(row, "watch", subject),
        description=f"deprecated: list {row.plural} with the parameter watch instead",
        tag=f"{tag_of(row.group)}_{row.version}",
        group_version_kind=(row.group, row.version, row.kind),
        parameters=(
            *_path_parameters(path, row.kind),
            *parameters.LIST,
            parameters.PRETTY,
        ),
        answer=WATCH_EVENT,
        produces=LIST_TYPES,
    )


def _offered(media_types: tuple[str, ...], row: Resource) -> tuple[str, ...]:
    """Return what a resource has of these: custom ones know no protobuf and no merge keys."""
    if row.custom is None:
        return media_types
    return tuple(one for one in media_types if one != STRATEGIC and not one.startswith(PROTOBUF))


def _identity(row: Resource, sub: Subresource | None) -> tuple[str, str, str]:
    """Return the group, version and kind that the operation's body or answer has."""
    if sub is None:
        return row.group, row.version, row.kind
    kind = sub.kind or row.kind
    return (sub.group, sub.version, kind) if sub.version else (row.group, row.version, kind)


def _definition(wanted: str, row: Resource, gvk: tuple[str, str, str]) -> str | None:
    if wanted not in ("object", "list"):
        return wanted or None
    group, version, kind = gvk
    if row.custom is not None and (version, kind) == (row.version, row.kind):
        return definition_name(row, row.list_kind_name if wanted == "list" else kind)
    name = row.list_kind_name if wanted == "list" else kind
    return schema().name_for(f"{group}/{version}" if group else version, name)


def _path_parameters(path: str, kind: str) -> tuple[Parameter, ...]:
    name = parameters.Parameter("name", f"name of the {kind}", location="path")
    found = {
        "{namespace}": parameters.NAMESPACE,
        "{name}": name,
        "{path}": parameters.PROXY_PATH,
    }
    return tuple(parameter for mark, parameter in found.items() if mark in path)


def _operation_id(row: Resource, word: str, subject: str) -> str:
    """Return "listCoreV1NamespacedPod"; a second word ("Collection") stands after the version."""
    verb, _, second = word.partition(" ")
    return f"{verb}{camel_group(row.group)}{_camel(row.version)}{second}{subject}"


def camel_group(group: str) -> str:
    """Return a group as it stands in operation ids: "RbacAuthorization", "Core"."""
    return "".join(map(_camel, _words(group)))


def tag_of(group: str) -> str:
    """Return a group as tags begin: "rbacAuthorization", "core"."""
    first, *rest = _words(group)
    return first + "".join(map(_camel, rest))


def _words(group: str) -> list[str]:
    return (group or "core").removesuffix(".k8s.io").split(".")


def _camel(word: str) -> str:
    return word[:1].upper() + word[1:]
