"""Rules of paths: inside volumes, on nodes, below domains.

Called by the rules of volumes, jobs and ingress classes. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import invalid, invalid_each, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError


def validate_no_backsteps(text: str, path: str) -> Iterator[FieldError]:
    """Refuse a path that goes up."""
    if ".." in text.split("/"):
        yield invalid(path, text, "must not contain '..'")


def validate_relative_path(text: str, path: str) -> Iterator[FieldError]:
    """Check a path that must stay below its volume."""
    if text.startswith("/"):
        yield invalid(path, text, "must be a relative path")
    yield from validate_no_backsteps(text, path)


def validate_item_path(text: str, path: str) -> Iterator[FieldError]:
    """Check the path a volume's item is written to: relative, and not one the node uses itself."""
    if not text:
        yield required(path)
        return
    yield from validate_relative_path(text, path)
    if text.startswith("..") and not text.startswith("../"):
        yield invalid(path, text, "must not start with '..'")


def validate_domain_prefixed_path(text: str, path: str) -> Iterator[FieldError]:
    """Check a path below a domain, "example.com/controller", which must be there."""
    if not text:
        yield required(path)
    else:
        yield from invalid_each(path, text, formats.domain_prefixed_path(text))
