"""Server-side apply: a configuration merged into an object, and who owns what afterwards.

`apply` is given what lies in the store and what the client sent, both as JSON. It returns the
object as it is to be stored, before defaulting, with its managedFields; the ordinary update path
goes on from there. Called by the API server's PATCH in its write loop. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.apply.client_side import KUBECTL, forgiven_fields, keep_last_applied
from control_plane.api.apply.comparison import compare
from control_plane.api.apply.conflicts import (
    conflict_error,
    conflicts_with,
    without_fields,
)
from control_plane.api.apply.conformity import findings
from control_plane.api.apply.held import Side, alike, filled, unfilled
from control_plane.api.apply.managers import (
    APPLY,
    UPDATE,
    ManagedFieldsError,
    Manager,
    Managers,
    decode,
)
from control_plane.api.apply.merging import merged
from control_plane.api.apply.owned import owned_fields
from control_plane.api.apply.removal import pruned
from control_plane.api.apply.shapes import ShapeError
from control_plane.api.apply.stripped import managed
from control_plane.api.apply.tracking import (
    put,
    reconciled_managers,
    reduced,
    updated,
    without_managers,
)
from control_plane.api.errors import ApiError, BadRequest

if TYPE_CHECKING:
    from control_plane.api.apply.endpoint import Endpoint
    from control_plane.api.objects import Object

BEFORE_FIRST_APPLY: Final = "before-first-apply"


class Applier(NamedTuple):
    """Who applies: a manager's name, whether it takes fields by force, and an RFC 3339 time."""

    name: str
    force: bool
    now: str


def apply(endpoint: Endpoint, live: Object, config: Object, applier: Applier) -> Object:
    """Return `live` ({} when there is no such object yet) with `config` applied by `applier`.

    Raises BadRequest for a configuration of another type or one that does not fit its schema, and
    Conflict; ApiError with code 500 when the owners in `live` cannot be understood.
    """
    check_configuration(endpoint, config)
    try:
        return _applied(endpoint, live, config, applier)
    except ShapeError:
        raise _live_error(endpoint, live) from None
    except ManagedFieldsError as error:
        raise ApiError(f"failed to decode managed fields: {error}") from error


def _live_error(endpoint: Endpoint, live: Object) -> BadRequest:
    """Return the error about an object in the store that has not the shape of its kind."""
    trouble = findings(endpoint.shape, without_managers(live))
    if (live.get("metadata") or {}).get("managedFields"):
        return BadRequest(f"failed to create typed live object ({_shown(live)}): {trouble}")
    return BadRequest(
        "failed to create manager for existing fields: "
        f"failed to convert new object ({_shown(live)}) to smd typed: {trouble}"
    )


def check_configuration(endpoint: Endpoint, config: Object) -> None:
    """Raise BadRequest unless a configuration can be applied to this endpoint.

    Upstream answers 500 to one that does not fit its schema, in the same words; that is the
    client's fault, and so it is told.
    """
    version, kind = (_text(config.get(field)) for field in ("apiVersion", "kind"))
    if (version, kind) != (endpoint.api_version, endpoint.kind):
        raise BadRequest(f"invalid object type: {typed_as(version, kind)}")
    metadata = config.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if isinstance(metadata.get("managedFields"), list):
        raise BadRequest("metadata.managedFields must be nil")
    trouble = findings(endpoint.shape, config)
    if trouble:
        raise BadRequest(f"failed to create typed patch object ({_shown(config)}): {trouble}")


def typed_as(api_version: str, kind: str) -> str:
    """Return a group, version and kind as errors print it: "/v1, Kind=Pod"."""
    group, _, version = api_version.rpartition("/")
    return f"{group}/{version}, Kind={kind}"


def _shown(obj: Object) -> str:
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = f"{_text(metadata.get('namespace'))}/{_text(metadata.get('name'))}"
    return f"{name}; {typed_as(_text(obj.get('apiVersion')), _text(obj.get('kind')))}"


def conversion_error(obj: Object, trouble: object) -> BadRequest:
    """Return the error about a merged object whose values their types cannot read."""
    typed = typed_as(_text(obj.get("apiVersion")), _text(obj.get("kind")))
    return BadRequest(
        f"failed to convert new object ({_shown(obj)}) to proper version: "
        f"unable to convert unstructured object to {typed}: {trouble}"
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _applied(endpoint: Endpoint, live: Object, config: Object, applier: Applier) -> Object:
    managers = decode((live.get("metadata") or {}).get("managedFields"))
    bare = without_managers(live)
    if not managers and live:
        first = Manager(
            BEFORE_FIRST_APPLY,
            UPDATE,
            endpoint.api_version,
            endpoint.subresource,
            {},
            applier.now,
        )
        managers = updated(endpoint, {}, bare, {}, first)
    state = filled(endpoint.shape, bare) if bare else bare
    new, after = _merge(endpoint, state, config, managers, applier)
    new = bare if new is state else unfilled(endpoint.shape, new)
    if applier.name == KUBECTL:
        new = keep_last_applied(new, config)
    result = {**new, "metadata": dict(new.get("metadata") or {})}
    put(result, after)
    return result


def _merge(
    endpoint: Endpoint, live: Object, config: Object, managers: Managers, applier: Applier
) -> tuple[Object, Managers]:
    """Return the merged object, without managedFields, and the managers after the apply.

    `live` is as a struct holds it: what the configuration says of a field that is empty in it,
    however empty, is news. It is returned itself when nothing about it has changed.
    """
    managers = reconciled_managers(endpoint, managers)
    mine = Manager(applier.name, APPLY, endpoint.api_version, endpoint.subresource, {})
    last = managers.get(mine.identity)
    fields = endpoint.ownable_of(owned_fields(endpoint.shape, config))
    wanted = {**managers, mine.identity: mine._replace(fields=fields)}
    new = merged(endpoint.shape, live, config)
    if last is not None:
        owners = [manager.fields for manager in wanted.values()]
        new = pruned(endpoint.shape, new, last.fields, owners)
    comparison = compare(endpoint.shape, live, new, Side.SENT)
    changed = endpoint.ownable_of(comparison.changed)
    conflicts = conflicts_with(_of_known_versions(endpoint, wanted), changed, mine.identity)
    if conflicts and not applier.force:
        left = conflicts
        if applier.name == KUBECTL:
            left = without_fields(conflicts, forgiven_fields(endpoint, live))
        if left:
            raise conflict_error(left)
    after = reduced(endpoint, wanted, comparison, mine.identity)
    is_same = bool(live) and alike(endpoint.shape, live, new, Side.SENT)
    after = _with_time(after, mine.identity, last, "" if is_same else applier.now)
    return (live if is_same else new), after


def _of_known_versions(endpoint: Endpoint, managers: Managers) -> Managers:
    return {key: one for key, one in managers.items() if endpoint.knows(one.api_version)}


def _with_time(managers: Managers, identity: str, last: Manager | None, now: str) -> Managers:
    """Return the managers with the applier's own set stripped and its time set.

    Without a new time (nothing was changed) it keeps the one that it had, if any.
    """
    mine = managers.get(identity)
    if mine is None:
        return managers
    fields = managed(mine.fields)
    if not fields:
        return {key: one for key, one in managers.items() if key != identity}
    kept = mine._replace(fields=fields, time=now or (last.time if last is not None else ""))
    unchanged = last is not None and not now and last.fields == fields
    if unchanged and last is not None and last.api_version == kept.api_version:
        kept = last
    return {**managers, identity: kept}
