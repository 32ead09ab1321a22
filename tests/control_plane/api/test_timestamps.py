"""Timestamps: written in UTC to the second or microsecond, read in every RFC 3339 form."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from control_plane.api import timestamps

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def test_writing() -> None:
    assert timestamps.format_time(MOMENT) == "2026-01-02T03:04:05Z"
    assert timestamps.format_micro_time(MOMENT) == "2026-01-02T03:04:05.678901Z"
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=2)))
    assert timestamps.format_time(elsewhere) == "2026-01-02T03:04:05Z"
    assert timestamps.format_time(datetime(1, 2, 3, tzinfo=UTC)) == "0001-02-03T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    ["2026-01-02T03:04:05.678901Z", "2026-01-02t03:04:05.678901234z",
     "2026-01-02T05:04:05.678901+02:00"],
)  # fmt: skip
def test_reading(text: str) -> None:
    assert timestamps.parse(text) == MOMENT


def test_fractions_may_be_short_or_absent() -> None:
    assert timestamps.parse("2026-01-02T03:04:05.5Z").microsecond == 500000
    assert timestamps.parse("2026-01-02T03:04:05Z").microsecond == 0


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "now",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        timestamps.parse(text)


def test_the_present_is_between_two_readings_of_the_clock() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert before <= timestamps.parse(timestamps.now())
    assert timestamps.parse(timestamps.micro_now()) <= datetime.now(UTC)
    assert timestamps.seconds_since("2026-01-02T03:04:00Z", MOMENT) == pytest.approx(5.678901)
