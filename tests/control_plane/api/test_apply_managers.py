"""metadata.managedFields: what is understood, its order, and the cap on updaters."""

import re
from typing import Any

import pytest

from control_plane.api.apply.managers import (
    ManagedFieldsError,
    capped,
    decode,
    encode,
    is_reset,
    same_but_for_time,
)


def entry(manager: str, operation: str = "Update", second: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "time": f"2026-01-02T03:04:{second:02}Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {f"f:{manager}": {}}},
        **more,
    }


def test_entries_come_in_order() -> None:
    wanted = [
        entry("z", "Apply", 1),
        entry("a", "Apply", 2),
        entry("c", second=0),
        entry("b", second=3),
        entry("b", second=3, subresource="status"),
        entry("a", second=4),
    ]
    assert encode(decode(wanted[::-1])) == wanted
    assert encode(decode(None)) == []


def test_an_applier_has_one_entry_and_an_updater_one_a_version() -> None:
    versions = [{"apiVersion": "x/v1"}, {"apiVersion": "x/v2"}]
    assert len(decode([entry("m", "Apply", 0, **version) for version in versions])) == 1
    assert len(decode([entry("m", "Update", 0, **version) for version in versions])) == 2


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"operation": "Foo"}, "operation must be `Apply` or `Update`"),
        ({"apiVersion": ""}, "apiVersion must not be empty"),
        ({"fieldsType": ""}, "missing fieldsType in managed fields entry 0"),
        ({"fieldsType": "V2"}, 'invalid fieldsType "V2" in managed fields entry 0'),
        ({"fieldsV1": {"x": {}}}, "key must be 2 characters long"),
    ],
)
def test_what_is_not_understood(bad: dict[str, Any], text: str) -> None:
    with pytest.raises(ManagedFieldsError, match=re.escape(text)):
        decode([entry("m", **bad)])


def test_old_updaters_are_put_together() -> None:
    writers = [entry(f"w{number:02}", second=number) for number in range(15)]
    result = encode(capped(decode([entry("applier", "Apply"), *writers])))
    assert [one["manager"] for one in result] == [
        "applier", "ancient-changes", *(f"w{number:02}" for number in range(6, 15)),
    ]  # fmt: skip
    bucket = result[1]
    assert list(bucket["fieldsV1"]["f:data"]) == [f"f:w{number:02}" for number in range(6)]
    assert bucket["time"] == "2026-01-02T03:04:05Z"


def test_a_lone_old_updater_of_a_version_keeps_its_name() -> None:
    old = entry("old", apiVersion="x/v0")
    writers = [entry(f"w{number:02}", second=number) for number in range(1, 12)]
    result = [one["manager"] for one in encode(capped(decode([old, *writers])))]
    assert result == ["old", "ancient-changes", *(f"w{number:02}" for number in range(4, 12))]


def test_which_lists_forget_all_managers() -> None:
    assert is_reset([])
    assert is_reset([{}])
    assert not is_reset(None)
    assert not is_reset([{}, {}])


def test_times_alone_make_no_difference() -> None:
    assert same_but_for_time([entry("a", second=1)], [entry("a", second=2)])
    assert not same_but_for_time([entry("a")], [entry("b")])
    assert not same_but_for_time([entry("a")], [entry("a"), entry("b")])
    assert not same_but_for_time(None, None)
