"""Volumes of pods that are deprecated, or whose files hide one another.

Called by pod_specs.py and storage.py. Source: v1.35 pod warnings.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from control_plane.api.go_syntax import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.objects import Object

DEPRECATED_VOLUMES: Final[Mapping[str, str]] = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
# as upstream prints the fields that it spells otherwise
_SHOWN: Final = {"storageos": "storageOS"}
_LONGEST_REMEMBERED: Final = 2048
_MAPPED: Final = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"))


class _Path(NamedTuple):
    """A file of a volume and, in a projected one, where it comes from."""

    path: str
    source: str = ""

    def overlaps(self, other: _Path) -> bool:
        one, another = self.path, other.path
        return one == another or one.startswith(f"{another}/") or another.startswith(f"{one}/")

    def __str__(self) -> str:
        return f"{quote(self.path)} ({self.source})" if self.source else quote(self.path)


def warn_of_sources(owner: Object, path: str) -> Iterator[str]:
    """Warn of deprecated kinds of volume among the fields of `owner`."""
    for field, text in DEPRECATED_VOLUMES.items():
        if owner.get(field) is not None:
            yield f"{path}.{_SHOWN.get(field, field)}: {text}"


def warn_of_overlaps(volumes: list[Object]) -> Iterator[str]:
    """Warn of files that lie at or below another one of the same volume."""
    for volume in volumes:
        name = quote(volume.get("name") or "")
        for described, body in _overlaps(volume):
            yield f"volume {name} ({described}): overlapping paths: {body}"
        projected = volume.get("projected") or {}
        for source in projected.get("sources") or []:
            if not any(source.values()):
                yield f"volume {name} (Projected) has no sources provided"


def _overlaps(volume: Object) -> Iterator[tuple[str, str]]:
    for field, kind, name in _MAPPED:
        source = volume.get(field)
        if source is not None:
            described = f"{kind} {quote(source.get(name) or '')}"
            yield from ((described, body) for body in _colliding(_files(source)))
    if volume.get("downwardAPI") is not None:
        files = _files(volume["downwardAPI"])
        yield from (("DownwardAPI", body) for body in _colliding(files))
    if volume.get("projected") is not None:
        sources = orjson.dumps(volume["projected"].get("sources") or [])
        is_short = len(sources) <= _LONGEST_REMEMBERED
        found = _projected_overlaps if is_short else _projected_overlaps.__wrapped__
        yield from (("Projected", body) for body in found(sources))


@functools.lru_cache(maxsize=256)  # that of a service account's token is the same in every pod
def _projected_overlaps(sources: bytes) -> tuple[str, ...]:
    files = [file for source in orjson.loads(sources) for file in _projected_files(source)]
    return tuple(_colliding(files))


def _files(source: Object, described: str = "") -> list[_Path]:
    paths = ((item.get("path") or "").rstrip("/") for item in source.get("items") or [])
    return [_Path(path, described) for path in paths if path]


def _projected_files(source: Object) -> list[_Path]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if source.get(field) is not None:
            return _files(source[field], f"{kind} {quote(source[field].get('name') or '')}")
    if source.get("downwardAPI") is not None:
        return _files(source["downwardAPI"], "DownwardAPI")
    token = source.get("serviceAccountToken")
    return [_Path(token.get("path") or "", "ServiceAccountToken")] if token else []


def _colliding(files: list[_Path]) -> Iterator[str]:
    for index, file in enumerate(files):
        for earlier in files[:index]:
            if file.overlaps(earlier):
                yield f"{file} with {earlier}"
