"""VALIDATORS: the rules of every kind, by group, kind and subresource.

Names are DNS-1123 subdomains unless a row says otherwise. Called by the package's entry points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats, small_objects
from control_plane.api.validation.validator import Validator, on_both

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VALIDATORS", "Validator"]

VALIDATORS: Final[Mapping[tuple[str, str, str], Validator]] = {
    ("", "ConfigMap", ""): Validator(
        small_objects.validate_config_map, small_objects.validate_config_map_update
    ),
    ("", "Namespace", ""): on_both(small_objects.validate_namespace, formats.dns1123_label),
    ("", "Namespace", "status"): Validator(
        on_update=small_objects.validate_namespace_status_update
    ),
    ("", "Namespace", "finalize"): on_both(small_objects.validate_namespace),
    ("", "Secret", ""): Validator(
        small_objects.validate_secret, small_objects.validate_secret_update
    ),
    ("coordination.k8s.io", "Lease", ""): on_both(small_objects.validate_lease),
}
