"""What can be asked besides resources: discovery, the version, the issuer of service accounts.

Generated clients get methods of these, such as AppsV1Api.get_api_resources. Called by v2.py and
documents.py. Source: api/openapi-spec of Kubernetes v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.openapi.operations import OBJECT_TYPES, Operation, camel_group, tag_of
from control_plane.api.schema import META_V1

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.resources import Resource

_JSON: Final = ("application/json",)
_VERSION_INFO: Final = "io.k8s.apimachinery.pkg.version.Info"


def _get(
    path: str,
    tag: str,
    operation_id: str,
    description: str,
    answer: str | None,
    media_types: tuple[str, ...] = OBJECT_TYPES,
) -> Operation:
    return Operation(
        path, "get", "", operation_id, description, tag, None, (), answer=answer,
        consumes=media_types, produces=media_types,
    )  # fmt: skip


_GENERAL: Final = {
    "api": _get(
        "/api/", "core", "getCoreAPIVersions", "get available API versions", f"{META_V1}APIVersions"
    ),
    "apis": _get(
        "/apis/", "apis", "getAPIVersions", "get available API versions", f"{META_V1}APIGroupList"
    ),
    "version": _get(
        "/version/", "version", "getCodeVersion", "get the version of this server", _VERSION_INFO,
        _JSON,
    ),
    ".well-known/openid-configuration": _get(
        "/.well-known/openid-configuration/", "WellKnown",
        "getServiceAccountIssuerOpenIDConfiguration",
        "get the OpenID configuration of the issuer of service accounts' tokens", None, _JSON,
    ),
    "openid/v1/jwks": _get(
        "/openid/v1/jwks/", "openid", "getServiceAccountIssuerOpenIDKeyset",
        "get the keys that verify service accounts' tokens", None, ("application/jwk-set+json",),
    ),
}  # fmt: skip


def general_operations(rows: Iterable[Resource]) -> Mapping[str, Operation]:
    """Return the operations that belong to no group version, by the names of their v3 documents.

    Groups of custom resources alone have none, as upstream.
    """
    groups = {row.group for row in rows if row.custom is None and row.group}
    return {**_GENERAL, **{f"apis/{group}": _of_group(group) for group in sorted(groups)}}


def _of_group(group: str) -> Operation:
    operation_id = f"get{camel_group(group)}APIGroup"
    tag = tag_of(group)
    what = "get information of a group"
    return _get(f"/apis/{group}/", tag, operation_id, what, f"{META_V1}APIGroup")


def version_operations(rows: Iterable[Resource]) -> list[Operation]:
    """Return what tells the resources of each group version among the rows, but custom ones."""
    found = {row.root_path: row for row in rows if row.custom is None}
    return [_of_version(path, row) for path, row in found.items()]


def _of_version(path: str, row: Resource) -> Operation:
    version = row.version[:1].upper() + row.version[1:]
    operation_id = f"get{camel_group(row.group)}{version}APIResources"
    tag = f"{tag_of(row.group)}_{row.version}"
    return _get(
        f"{path}/", tag, operation_id, "get available resources", f"{META_V1}APIResourceList"
    )
