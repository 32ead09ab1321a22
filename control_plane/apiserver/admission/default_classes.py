"""Which of the classes of a kind is the default: the newest that says so, the first by name."""

from collections.abc import Iterable

from control_plane.api.objects import Object, annotations_of, metadata_of, name_of


def default_class(classes: Iterable[Object], annotations: tuple[str, ...]) -> Object | None:
    """The default one of `classes`; any of the annotations with the value "true" makes a default.

    None when there is no default.
    """
    defaults = sorted((one for one in classes if _is_default(one, annotations)), key=name_of)
    return max(defaults, key=_created, default=None)


def _is_default(found: Object, annotations: tuple[str, ...]) -> bool:
    given = annotations_of(found)
    return any(given.get(annotation) == "true" for annotation in annotations)


def _created(found: Object) -> str:
    created: str = metadata_of(found).get("creationTimestamp") or ""
    return created
