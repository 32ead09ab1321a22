"""Rules of where a webhook is: a URL, or a service of the cluster.

Called by the rules of admission webhooks, conversion webhooks and API services. Source: v1.35
apiserver webhook validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.go_url import read_url
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import invalid, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_FORM: Final = "; desired format: https://host[/path]"
_EITHER: Final = "exactly one of url or service is required"


def validate_client_config(config: Object, path: str) -> Iterator[FieldError]:
    """Check that a webhook is at one place, and the place."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(path, _EITHER)
    elif url is not None:
        yield from validate_url(url, f"{path}.url")
    elif service is not None:
        yield from validate_service(service, f"{path}.service")


def validate_url(url: str, path: str) -> Iterator[FieldError]:
    """Check a webhook's URL: https, a host, perhaps a path, and nothing else."""
    try:
        parts = read_url(url)
    except ValueError as error:
        yield required(path, f"url must be a valid URL: {error}{_FORM}")
        return
    if parts.scheme != "https":
        yield invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not parts.host:
        yield invalid(path, parts.host, f"host must be specified{_FORM}")
    if parts.user is not None:
        yield invalid(path, parts.user, "user information is not permitted in the URL")
    if parts.fragment:
        yield invalid(path, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield invalid(path, parts.query, "query parameters are not permitted in the URL")


def validate_service(service: Object, path: str) -> Iterator[FieldError]:
    """Check a webhook's service, port and path."""
    # upstream takes the one for the other: a missing name is told of the namespace
    for told, field in (("name", "namespace"), ("namespace", "name")):
        if not service.get(field):
            yield required(f"{path}.{told}")
    yield from validate_port(service.get("port"), f"{path}.port")
    if service.get("path") is not None:
        yield from _validate_path(service["path"], f"{path}.path")


def validate_port(port: int | None, path: str) -> Iterator[FieldError]:
    """Check the port of a service; 0 or absent is wrong too."""
    errors = formats.port_number(port or 0)
    if errors:
        yield invalid(path, port or 0, f"port is not valid: {','.join(errors)}")


def _validate_path(url_path: str, path: str) -> Iterator[FieldError]:
    if url_path in ("", "/"):
        return
    if url_path == "//":
        yield invalid(path, url_path, "segment[0] may not be empty")
        return
    if not url_path.startswith("/"):
        yield invalid(path, url_path, "must start with a '/'")
    for index, segment in enumerate(url_path[1:].removesuffix("/").split("/")):
        if not segment:
            yield invalid(path, url_path, f"segment[{index}] may not be empty")
            continue
        for error in formats.dns1123_subdomain(segment):
            yield invalid(path, url_path, f"segment[{index}]: {error}")
