"""Cron schedules and index lists: what they mean, and how a bad one is refused."""

import pytest

from control_plane.api.cron_schedule import DAY, HOUR, MINUTE, MONTH, WEEKDAY, is_zone, parse
from control_plane.api.index_list import count_indexes


def test_fields() -> None:
    schedule = parse("*/15 1,3 1-3 jan-mar/2 MON")
    assert schedule.fields[MINUTE] == {0, 15, 30, 45}
    assert schedule.fields[HOUR] == {1, 3}
    assert schedule.fields[DAY] == {1, 2, 3}
    assert schedule.fields[MONTH] == {1, 3}
    assert schedule.fields[WEEKDAY] == {1}
    assert schedule.is_any == (True, False, False, False, False)


def test_a_start_with_a_step_goes_to_the_end() -> None:
    assert parse("50/5 ? * * *").fields[MINUTE] == {50, 55}


def test_descriptors_and_intervals() -> None:
    assert parse("@weekly") == parse("0 0 * * 0")
    assert parse("@every 1h30m").every_seconds == 5400
    assert parse("@every 10ms").every_seconds == 1
    assert parse("TZ=UTC 0 0 * * *").zone == "UTC"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty spec string"),
        ("a b c d", "expected exactly 5 fields, found 4: [a b c d]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        (
            "x * * * *",
            'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
        ),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        (
            "@every day",
            'failed to parse duration @every day: time: invalid duration "day"',
        ),
        ("TZ=Mars 0 0 * * *", "provided bad location Mars: unknown time zone Mars"),
    ],
)
def test_a_bad_schedule_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(text)
    assert str(caught.value) == message


def test_zones() -> None:
    assert is_zone("Europe/Berlin")
    assert not is_zone("Europe/Atlantis")
    assert not is_zone("../etc/passwd")


@pytest.mark.parametrize(("text", "count"), [("", 0), ("1", 1), ("1,3-5", 4), ("0-9", 10)])
def test_indexes_are_counted(text: str, count: int) -> None:
    assert count_indexes(text, 10) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", 'cannot convert string to integer for index: "a"'),
        ("10", 'too large index: "10"'),
        ("3,2", "non-increasing order, previous: 3, current: 2"),
        ("4-4", "non-increasing order, previous: 4, current: 4"),
        (
            "1-2-3",
            'the fragment "1-2-3" violates the requirement that an index interval can have at '
            "most two parts separated by '-'",
        ),
    ],
)
def test_a_bad_index_list_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        count_indexes(text, 10)
    assert str(caught.value) == message
