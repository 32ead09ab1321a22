"""The options of writes: query parameters, and for deletions a DeleteOptions body too. Pure."""

from control_plane.api.errors import BadRequest, FieldError, Invalid
from control_plane.api.field_error import forbidden, invalid, not_supported, required, too_long
from control_plane.api.objects import Object, dig
from control_plane.apiserver.http.query import Query
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions

MAX_MANAGER_BYTES = 128
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_POLICIES = ("Foreground", "Background", "Orphan")


class _Kind:
    """An options type as errors name it."""

    group = "meta.k8s.io"

    def __init__(self, kind: str) -> None:
        self.kind = kind


def call_of(request: Request, kind: str, *, applies: bool = False) -> Call:
    """Read the options of a create, update or patch; `kind` is CreateOptions and the like.

    Without a field manager the user agent is one, unless this is a server-side apply.
    """
    query = request.query
    errors = [*_dry_run_errors(query.texts("dryRun")), *_manager_errors(query)]
    validation = query.text("fieldValidation")
    if validation not in _VALIDATIONS:
        errors.append(not_supported("fieldValidation", validation, _VALIDATIONS))
    if applies and not query.text("fieldManager"):
        errors.append(required("fieldManager", "is required for apply patch"))
    elif kind == "PatchOptions" and "force" in query and not applies:
        errors.append(forbidden("force", "may not be specified for non-apply patch"))
    if errors:
        raise Invalid.of(_Kind(kind), "", errors)
    return Call(
        user=request.user,
        dry_run=bool(query.texts("dryRun")),
        field_validation=validation or "Warn",
        field_manager=query.text("fieldManager") or _manager_of_agent(request),
        force=applies and query.flag("force"),
        warn=request.warn,
        options=_options(query),
        annotate=request.annotate,
    )


def _options(query: Query) -> Object:
    """The options as the client gave them."""
    options: Object = {}
    if query.texts("dryRun"):
        options["dryRun"] = query.texts("dryRun")
    for name in ("fieldManager", "fieldValidation"):
        if query.text(name):
            options[name] = query.text(name)
    return options


def call_without_options(request: Request, *, dry_run: bool = False) -> Call:
    """What the registry needs to know of a deletion or a connection."""
    return Call(request.user, dry_run, warn=request.warn, annotate=request.annotate)


def _manager_of_agent(request: Request) -> str:
    """Return the field manager that a User-Agent stands for: its program, "" when it names none."""
    manager = ""
    for character in request.header(b"user-agent").partition("/")[0]:
        if len((manager + character).encode()) > MAX_MANAGER_BYTES:
            break
        manager += character if character.isprintable() else ""
    return manager


def read_delete_options(query: Query, body: Object) -> DeleteOptions:
    """Merge the DeleteOptions of body and query (the body wins) and check them."""
    policy = _value(query, body, "propagationPolicy")
    orphan = body.get("orphanDependents", query.optional_flag("orphanDependents"))
    dry_run = body.get("dryRun") or query.texts("dryRun")
    errors = _dry_run_errors(dry_run)
    if policy and orphan is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid("propagationPolicy", policy, text))
    elif policy and policy not in _POLICIES:
        errors.append(not_supported("propagationPolicy", policy, (*_POLICIES, "nil")))
    if errors:
        raise Invalid.of(_Kind("DeleteOptions"), "", errors)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    return DeleteOptions(
        grace_seconds=_grace(query, body),
        policy=policy,
        uid=str(dig(body, "preconditions", "uid", default="")),
        resource_version=str(dig(body, "preconditions", "resourceVersion", default="")),
        dry_run=bool(dry_run),
        orphan_given=orphan is False,
    )


def _grace(query: Query, body: Object) -> int | None:
    grace = body.get("gracePeriodSeconds")
    if grace is None:
        return query.number("gracePeriodSeconds")
    if not isinstance(grace, int) or isinstance(grace, bool):
        raise BadRequest("gracePeriodSeconds must be an integer")
    return grace


def _value(query: Query, body: Object, name: str) -> str:
    value = body.get(name)
    return query.text(name) if value is None else str(value)


def _dry_run_errors(values: object) -> list[FieldError]:
    if not values:
        return []
    if not isinstance(values, list) or any(value != "All" for value in values):
        return [not_supported("dryRun", values, ["All"])]
    return []


def _manager_errors(query: Query) -> list[FieldError]:
    manager = query.text("fieldManager")
    if len(manager.encode()) > MAX_MANAGER_BYTES:
        return [too_long("fieldManager", MAX_MANAGER_BYTES)]
    for position, character in enumerate(manager):
        if not character.isprintable():
            text = f"invalid character U+{ord(character):04X} (at position {position})"
            return [invalid("fieldManager", manager, text)]
    return []
