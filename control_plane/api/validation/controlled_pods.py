"""What every controller of pods has: a pod template, a selector that fits it, numbers of replicas.

Called by the rules of each controller. Source: v1.35 apps/v1 and core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api import label_selector
from control_plane.api.integers import int64
from control_plane.api.objects import labels_of
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    forbidden,
    invalid,
    invalid_each,
    non_negative,
    not_supported,
    required,
)
from control_plane.api.validation.labels import (
    is_empty_selector,
    validate_labels,
    validate_selector,
)
from control_plane.api.validation.metadata import validate_annotations
from control_plane.api.validation.pod_spec import validate_pod_spec
from control_plane.api.validation.pods import validate_pod_annotations
from control_plane.api.validation.profile_annotations import validate_profile_annotations

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

TEMPLATE: Final = "spec.template"
MISMATCH: Final = "`selector` does not match template `labels`"


def validate_template(template: Object, path: str) -> Iterator[FieldError]:
    """Check a pod template; its labels and annotations are shown without "metadata"."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    yield from validate_labels(metadata.get("labels"), f"{path}.labels")
    annotations = metadata.get("annotations") or {}
    yield from validate_annotations(annotations, f"{path}.annotations")
    yield from validate_pod_annotations(annotations, spec, f"{path}.annotations")
    yield from validate_pod_spec(spec, f"{path}.spec", is_template=True)
    yield from validate_profile_annotations(annotations, spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        where = f"{path}.spec.ephemeralContainers"
        yield forbidden(where, "ephemeral containers not allowed in pod template")


def validate_controlled_template(
    template: Object, labels_match: bool, kind: str
) -> Iterator[FieldError]:
    """Check the template of a controller whose pods run for ever."""
    labels = (template.get("metadata") or {}).get("labels")
    if not labels_match:
        yield invalid(f"{TEMPLATE}.metadata.labels", labels, MISMATCH)
    yield from validate_template(template, TEMPLATE)
    spec = template.get("spec") or {}
    if spec.get("restartPolicy") != "Always":
        where = f"{TEMPLATE}.spec.restartPolicy"
        yield not_supported(where, spec.get("restartPolicy") or "", ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        detail = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden(f"{TEMPLATE}.spec.activeDeadlineSeconds", detail)


def validate_selected_template_labels(
    spec: Object, empty: str, unreadable: str
) -> Generator[FieldError, None, bool | None]:
    """Check a selector, and return whether the template's labels fit it.

    The detail `empty` refuses a selector that takes all pods, `unreadable` one that makes no sense:
    nothing can be said of the labels then, and None is returned. No labels fit where there is no
    selector; all do where it is empty.
    """
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return False
    yield from validate_selector(selector, "spec.selector")
    if is_empty_selector(selector):
        yield invalid("spec.selector", selector, empty)
        return True
    try:
        return label_selector.from_object(selector).matches(labels_of(spec.get("template") or {}))
    except ValueError:
        yield invalid("spec.selector", selector, unreadable)
        return None


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """Tell whether a selector fits; one that makes no sense is reported elsewhere."""
    try:
        return label_selector.from_object(selector).matches(labels)
    except ValueError:
        return True


def validate_replicas(spec: Object) -> Iterator[FieldError]:
    """Check how many pods there shall be, and when one counts."""
    yield from non_negative("spec.replicas", spec.get("replicas"))
    yield from non_negative("spec.minReadySeconds", spec.get("minReadySeconds"))


def validate_share(share: Any, path: str) -> Iterator[FieldError]:
    """Check a number of pods or a percentage of them."""
    if isinstance(share, str):
        yield from invalid_each(path, share, formats.percent(share))
    else:
        yield from non_negative(path, share)


def amount_of_share(share: Any) -> int | None:
    """Return the number in a share; None for a text that is no percentage, or too large a one."""
    if isinstance(share, str):
        return int64(share[:-1]) if not formats.percent(share) else None
    return share or 0


def validate_selector_kept(new: Object, old: Object) -> Iterator[FieldError]:
    """Check that the selector is what it was."""
    selector = (new.get("spec") or {}).get("selector")
    if not semantically_equal(selector, (old.get("spec") or {}).get("selector")):
        yield invalid("spec.selector", selector, IMMUTABLE)


def validate_share_below_whole(share: Any, path: str) -> Iterator[FieldError]:
    """Refuse a percentage of more than all pods."""
    if isinstance(share, str) and (amount_of_share(share) or 0) > 100:
        yield invalid(path, share, "must not be greater than 100%")
