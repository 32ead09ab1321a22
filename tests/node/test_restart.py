"""Back-off: when an ended container may start again."""

import pytest

from node.kubelet.restart import Backoff, go_duration


def test_the_first_restart_waits_for_nothing() -> None:
    assert Backoff().remaining("k", since=0, now=0) == 0


def test_the_wait_doubles_up_to_five_minutes() -> None:
    backoff, now, waits = Backoff(), 0.0, []
    for _ in range(8):
        waits.append(backoff.advance("k", now, now))
        now += waits[-1]
        assert backoff.remaining("k", now, now) == waits[-1]
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]


def test_the_wait_counts_from_the_end_of_the_container() -> None:
    backoff = Backoff()
    backoff.advance("k", 0, 0)
    assert backoff.remaining("k", since=4, now=6) == 8
    assert backoff.remaining("k", since=4, now=14) == 0


def test_a_container_that_ran_long_starts_afresh() -> None:
    backoff = Backoff()
    for _ in range(3):
        backoff.advance("k", 0, 0)
    assert backoff.remaining("k", since=601, now=601) == 0
    assert backoff.advance("k", 601, 601) == 10


def test_keys_are_apart_and_can_be_forgotten() -> None:
    backoff = Backoff()
    backoff.advance("a_1", 0, 0)
    assert backoff.remaining("b_1", 0, 0) == 0
    backoff.forget("a_")
    assert backoff.remaining("a_1", 0, 0) == 0


def test_old_entries_are_pruned() -> None:
    backoff = Backoff()
    backoff.advance("a", 0, 0)
    backoff.prune(601)
    assert backoff.current("a") == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(10, "10s"), (20, "20s"), (80, "1m20s"), (160, "2m40s"), (300, "5m0s"), (3600, "1h0m0s")],
)
def test_durations_read_as_upstream_prints_them(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text
