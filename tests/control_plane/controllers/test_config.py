"""The controller manager's flags: what is refused, in one line that names the flag."""

import argparse

import pytest

from control_plane.controllers.config import ConfigError, ControllersConfig, add_flags, from_args
from control_plane.controllers.root_ca import root_ca


def parse(*flags: str) -> ControllersConfig:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return from_args(parser.parse_args(["--kubeconfig=/nowhere", *flags]))


def test_durations_are_as_upstream_writes_them() -> None:
    config = parse("--node-monitor-grace-period=1m30s", "--node-monitor-period=500ms")

    assert (config.node_monitor_grace_period, config.node_monitor_period) == (90.0, 0.5)


@pytest.mark.parametrize(
    "flag",
    [
        "--controllers=",
        "--concurrent-gc-syncs=0",
        "--max-endpoints-per-slice=0",
        "--leader-elect-lease-duration=1s",
        "--node-monitor-period=0",
        "--node-monitor-grace-period=inf",
        "--node-eviction-rate=-1",
        "--endpoint-updates-batch-period=nan",
        "--unhealthy-zone-threshold=7",
    ],
)
def test_a_value_that_cannot_work_is_refused(flag: str) -> None:
    with pytest.raises(ConfigError, match=flag.partition("=")[0]):
        parse(flag)


def test_a_root_ca_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--root-ca-file .* is not a PEM file of certificates"):
        root_ca(parse(f"--root-ca-file={__file__}"))
