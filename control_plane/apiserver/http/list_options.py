"""The options of list and watch, read from the query and checked together. Pure.

Source: the validation of ListOptions in Kubernetes v1.35; the texts are part of the API.
"""

from dataclasses import dataclass

from control_plane.api import field_selector, label_selector
from control_plane.api.errors import BadRequest, FieldError, Invalid
from control_plane.api.field_error import forbidden, invalid, not_supported
from control_plane.api.resources import Resource
from control_plane.apiserver.http.query import Query
from control_plane.apiserver.storage.resource_version import parse_revision
from control_plane.apiserver.storage.selectable_fields import RENAMED, selectable_fields
from control_plane.apiserver.storage.selection import Selection

EXACT = "Exact"
NOT_OLDER = "NotOlderThan"


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a list or watch asks for.

    `resource_version` is "" or digits; `limit` 0 and `timeout_seconds` None mean not given.
    """

    selection: Selection
    watch: bool = False
    allow_bookmarks: bool = False
    resource_version: str = ""
    match: str = ""
    timeout_seconds: int | None = None
    limit: int = 0
    continue_token: str = ""
    send_initial_events: bool | None = None

    @property
    def revision(self) -> int:
        """The resourceVersion as a number, 0 for none."""
        return parse_revision(self.resource_version or "0")

    @property
    def starts_with_objects(self) -> bool:
        """Whether a watch sends the objects there are before the changes.

        If the client has not said, one from no version or from 0 does.
        """
        if self.send_initial_events is None:
            return self.revision == 0
        return self.send_initial_events


class _OptionsKind:
    group = "meta.k8s.io"
    kind = "ListOptions"


def read_list_options(
    query: Query, resource: Resource, place: tuple[str, str], *, watch_path: bool = False
) -> ListOptions:
    """Read and check the options; `place` is the URL's (namespace, name).

    Raises BadRequest for what cannot be parsed and Invalid for what does not go together.
    """
    options = ListOptions(
        selection=_selection(query, resource, place),
        watch=watch_path or query.flag("watch"),
        allow_bookmarks=query.flag("allowWatchBookmarks"),
        resource_version=query.text("resourceVersion"),
        match=query.text("resourceVersionMatch"),
        timeout_seconds=query.number("timeoutSeconds"),
        limit=max(0, query.number("limit") or 0),
        continue_token=query.text("continue"),
        send_initial_events=query.optional_flag("sendInitialEvents"),
    )
    errors = list(_watch_errors(options) if options.watch else _list_errors(options))
    if errors:
        raise Invalid.of(_OptionsKind(), "", errors)
    _check_version(options)
    return options


def _selection(query: Query, resource: Resource, place: tuple[str, str]) -> Selection:
    namespace, name = place
    try:
        labels = label_selector.parse(query.text("labelSelector"))
        fields = field_selector.parse(query.text("fieldSelector"))
    except ValueError as error:
        raise BadRequest(str(error)) from error
    renamed = RENAMED.get((resource.group, resource.plural), {})
    fields = fields.renamed(lambda field: renamed.get(field, field))
    _check_fields(resource, fields)
    wanted = fields.exact("metadata.name")
    if name and wanted is not None and wanted != name:
        raise BadRequest("fieldSelector metadata.name doesn't match requested name")
    return Selection(
        namespace if resource.namespaced else "",
        name or wanted or "",
        None if labels.is_everything else labels,
        None if fields.is_everything else fields,
    )


def _check_fields(resource: Resource, fields: field_selector.Selector) -> None:
    extra = selectable_fields(resource)
    known = {"metadata.name", *extra}
    if resource.namespaced or not extra:  # upstream's default takes it of anything
        known.add("metadata.namespace")
    for field in fields.fields:
        if field in known:
            continue
        if extra or resource.custom is not None:
            raise BadRequest(f"field label not supported: {field}")
        raise BadRequest(
            f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
        )


def _list_errors(options: ListOptions) -> list[FieldError]:
    errors = []
    if options.match:
        errors += _match_errors(options)
    if options.send_initial_events is not None:
        errors.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return errors


def _match_errors(options: ListOptions) -> list[FieldError]:
    field = "resourceVersionMatch"
    errors = []
    if not options.resource_version:
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        errors.append(forbidden(field, text))
    if options.continue_token:
        text = "resourceVersionMatch is forbidden when continue is provided"
        errors.append(forbidden(field, text))
    if options.match not in (EXACT, NOT_OLDER):
        errors.append(not_supported(field, options.match, [EXACT, NOT_OLDER, ""]))
    if options.match == EXACT and options.resource_version == "0":
        text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        errors.append(forbidden(field, text))
    return errors


def _watch_errors(options: ListOptions) -> list[FieldError]:
    field = "resourceVersionMatch"
    errors = []
    if options.send_initial_events is not None:
        if options.match != NOT_OLDER:
            text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            errors.append(forbidden(field, text))
    elif options.match:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        errors.append(forbidden(field, text))
    if options.match and options.match != NOT_OLDER:
        errors.append(not_supported(field, options.match, [NOT_OLDER]))
    if options.match and options.continue_token:
        text = "resourceVersionMatch is forbidden when continue is provided"
        errors.append(forbidden(field, text))
    return errors


def _check_version(options: ListOptions) -> None:
    version = options.resource_version
    if not version:
        return
    try:
        parse_revision(version)
    except ValueError as error:
        field = invalid("resourceVersion", version, str(error))
        if options.watch:
            raise Invalid.of(_OptionsKind(), "", [field]) from error
        raise BadRequest(f"invalid resource version: {field}") from error
