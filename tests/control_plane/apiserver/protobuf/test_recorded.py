"""Every kind in protobuf, beside what Kubernetes' own libraries write and read."""

import pytest

from control_plane.api.resources import RESOURCES, Resource
from control_plane.apiserver.protobuf import envelope
from tests.control_plane.apiserver.protobuf.recorded import Recorded, recorded, without_nulls

RECORDED = recorded()
OBJECTS = [one for one in RECORDED if one.only != "event"]
EVENTS = [one for one in RECORDED if one.only == "event"]


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: one.case)
def test_an_object_is_written_byte_for_byte_as_kubernetes_writes_it(one: Recorded) -> None:
    assert envelope.encode(one.json) == one.protobuf


@pytest.mark.parametrize("one", [o for o in OBJECTS if not o.only], ids=lambda one: one.case)
def test_a_body_is_read_as_kubernetes_reads_it(one: Recorded) -> None:
    assert without_nulls(envelope.decode(one.protobuf)) == without_nulls(one.json)


@pytest.mark.parametrize("one", EVENTS, ids=lambda one: one.case)
def test_an_event_is_framed_as_kubernetes_frames_it(one: Recorded) -> None:
    frame = envelope.watch_frame(one.json["type"], envelope.encode(one.json["object"]))
    assert frame == one.protobuf


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: f"{row.group_resource}-{row.version}")
def test_every_kind_that_is_served_can_be_written(row: Resource) -> None:
    """The tables come from control_plane/apiserver/protobuf/generate: a new group goes in there."""
    assert envelope.has_message(row.api_version, row.kind)
    assert envelope.has_message(row.api_version, row.list_kind_name) or not row.is_stored
