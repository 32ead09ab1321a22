"""Flags of the scheduler, and values it refuses."""

import argparse
from pathlib import Path

import pytest

from control_plane.scheduler.config import ConfigError, SchedulerConfig, add_flags, from_args
from control_plane.scheduler.server import run


def parse(*flags: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return parser.parse_args(["--kubeconfig", "x.kubeconfig", *flags])


def test_defaults_are_upstreams() -> None:
    config = from_args(parse())
    assert config.kubeconfig == Path("x.kubeconfig")
    assert config.scheduler_name == "default-scheduler"
    assert config.leader_elect
    assert config.percentage_of_nodes == 0
    assert (config.initial_backoff_seconds, config.max_backoff_seconds) == (1, 10)
    assert config.identity != from_args(parse()).identity


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--scheduler-name", ""], "--scheduler-name"),
        (["--percentage-of-nodes-to-score", "101"], "--percentage-of-nodes-to-score 101"),
        (["--pod-initial-backoff-seconds", "0"], "--pod-initial-backoff-seconds"),
        (["--pod-max-backoff-seconds", "0.5"], "--pod-max-backoff-seconds"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(flags: list[str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        from_args(parse(*flags))


@pytest.mark.parametrize(
    ("flags", "elects"),
    [([], True), (["--leader-elect"], True), (["--leader-elect=false"], False)],
)
def test_the_election_can_be_left_out(flags: list[str], elects: bool) -> None:
    assert from_args(parse(*flags)).leader_elect is elects


def test_a_switch_takes_true_or_false_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--leader-elect=maybe")
    assert "'maybe': give true or false" in capsys.readouterr().err


async def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.kubeconfig"
    with pytest.raises(ConfigError, match=str(missing)):
        await run(SchedulerConfig(missing))
