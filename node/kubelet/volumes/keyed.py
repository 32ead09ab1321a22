"""configMap and secret volumes: the keys of one object as files.

`keyed_payload` is pure and is shared with projected volumes. Without items every key is a file;
with items only those listed, under their own path and mode.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from node.kubelet.volumes.base import FileContent, Payload, VolumeFailure, VolumeRequest, mode_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object


async def config_map_payload(request: VolumeRequest) -> Payload:
    """Return the files of a configMap volume."""
    return await keyed_source(request, "configmap", request.source, mode_of(request.source))


async def secret_payload(request: VolumeRequest) -> Payload:
    """Return the files of a secret volume; its name field is called secretName."""
    source = {**request.source, "name": request.source.get("secretName")}
    return await keyed_source(request, "secret", source, mode_of(source))


async def keyed_source(request: VolumeRequest, kind: str, source: Object, mode: int) -> Payload:
    """Read the object and return its files; {} when it is optional and missing."""
    obj = await request.reader.get(kind, request.namespace, source["name"])
    if obj is None:
        if source.get("optional"):
            return {}
        raise VolumeFailure(f'{kind} "{source["name"]}" not found')
    return keyed_payload(kind, data_of(kind, obj), source, mode)


def keyed_payload(kind: str, data: Mapping[str, bytes], source: Object, mode: int) -> Payload:
    """Choose and name the keys."""
    items = source.get("items")
    if not items:
        return {key: FileContent(value, mode) for key, value in data.items()}
    payload: Payload = {}
    for item in items:
        key = item["key"]
        if key in data:
            payload[item["path"]] = FileContent(data[key], mode_of(item, mode))
        elif not source.get("optional"):
            raise VolumeFailure(_missing_key(kind, key))
    return payload


def data_of(kind: str, obj: Object) -> dict[str, bytes]:
    """Return the bytes of every key."""
    if kind == "secret":
        return {k: base64.b64decode(v) for k, v in (obj.get("data") or {}).items()}
    text = {k: v.encode() for k, v in (obj.get("data") or {}).items()}
    binary = {k: base64.b64decode(v) for k, v in (obj.get("binaryData") or {}).items()}
    return text | binary


def _missing_key(kind: str, key: str) -> str:
    if kind == "secret":
        return f"references non-existent secret key: {key}"
    return f"configmap references non-existent config key: {key}"
