"""Lists in protobuf, put together from the messages of their items.

A message is made once and kept with its object. While many are made, others get their turn.
"""

import asyncio

from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.http.parted_body import PartedBody
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.registry.reading import Listing
from control_plane.apiserver.storage.codec import Codec

ENCODE_SLICE = 32  # objects between two turns of the loop: about two milliseconds


async def protobuf_list(
    resource: Resource, codec: Codec, listing: Listing, metadata: Object
) -> PartedBody:
    """The body of a list."""
    items, made = [], 0
    for entry in listing.entries:
        if not entry.has_message:
            made += 1
            if made % ENCODE_SLICE == 0:
                await asyncio.sleep(0)
        items.append(entry.message(codec.message))
    kind = resource.list_kind_name
    return PartedBody(envelope.list_parts(metadata, items, resource.api_version, kind))
