"""Conversion of custom resources by a webhook: what is stored, and what is served, in versions.

A list goes in one call, of those objects alone that have not the wanted version. Source:
apiextensions conversion webhook_converter v1.35.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence

import orjson

from control_plane.api.custom.kind import CustomKind
from control_plane.api.custom.webhook_reviews import (
    BadConversionError,
    converted,
    question,
    review_version,
)
from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.etcd.errors import UnconvertibleError

Call = Callable[[Object, bytes], Awaitable[bytes]]


def _parsed(value: bytes) -> Object:
    """The stored object; {} for what is none, which stays as it is."""
    try:
        obj = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    is_object = isinstance(obj, dict) and isinstance(obj.get("metadata"), dict)
    return obj if is_object else {}


class WebhookConverter:
    """Makes stored objects those of one version, and back, by the webhook of its definition."""

    def __init__(self, resource: Resource, kind: CustomKind, call: Call) -> None:
        """`call` posts a body to a client configuration and returns the answer."""
        self._resource = resource
        self._kind = kind
        self._call = call

    async def served(self, values: Sequence[bytes]) -> list[bytes]:
        """Stored values in the version that is served; raises UnconvertibleError."""
        objects = [_parsed(value) for value in values]
        made = await self._converted(objects, self._kind.api_version)
        return [
            value if after is before else orjson.dumps(after)
            for value, before, after in zip(values, objects, made, strict=True)
        ]

    async def stored(self, obj: Object) -> Object:
        """An object in the version that is stored; raises UnconvertibleError."""
        return (await self._converted([obj], self._kind.stored_api_version))[0]

    async def _converted(self, objects: list[Object], wanted: str) -> list[Object]:
        places = [
            index for index, obj in enumerate(objects) if obj and obj.get("apiVersion") != wanted
        ]
        if not places:
            return objects
        sent = [self._settled(objects[index]) for index in places]
        made = await self._asked(sent, wanted)
        result = [*objects]
        for index, obj in zip(places, made, strict=True):
            result[index] = obj
        return result

    def _settled(self, obj: Object) -> Object:
        """The object as its own version has it today, with its defaults."""
        version = str(obj.get("apiVersion")).rpartition("/")[2]
        own = self._kind.definition.kinds.get(version)
        if own is None:
            raise UnconvertibleError(
                f"request to convert CR to an invalid group/version: {obj.get('apiVersion')}"
            )
        copied: Object = orjson.loads(orjson.dumps(obj))
        own.from_stored(copied)
        return copied

    async def _asked(self, objects: list[Object], wanted: str) -> list[Object]:
        shown = f"{objects[0].get('apiVersion')}, Kind={self._resource.kind}"
        conversion, uid = self._kind.definition.conversion, str(uuid.uuid4())
        version = review_version(conversion)
        config = conversion["webhook"]["clientConfig"]
        try:
            answer = await self._call(config, question(objects, wanted, version, uid))
            return converted(answer, objects, wanted, version, uid)
        except BadConversionError as error:
            raise UnconvertibleError(f"conversion webhook for {shown} {error}") from error
        except (TimeoutError, OSError, ValueError) as error:
            raise UnconvertibleError(f"conversion webhook for {shown} failed: {error}") from error
