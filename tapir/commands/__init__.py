"""The sub-commands of `tapir`, one row each, and what a row is.

A component's row names its package, which has `config.py` (`add_flags`, `from_args`, `ConfigError`)
and `server.py` (`async run(config, ready=None)`); both are imported only when the command is used,
so that `tapir version` does not load a gRPC stack. Called by `cli`.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tapir import VERSION
from tapir.commands import (
    certificates,
    certs,
    check,
    datastore,
    exporting,
    importing,
    join,
    snapshot,
    status,
    token,
)
from tapir.refusal import refusals_of
from tapir.runner import run_until_signal

EXIT_USAGE = 2
LEVELS = ("debug", "info", "warn", "error")
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command: its flags, and what it does with them (returns the exit code).

    `parse` reads the words where that is not for argparse; `note` is for the reference page.
    """

    name: str
    help: str
    add_flags: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    parse: Callable[[Sequence[str]], argparse.Namespace] | None = None
    note: str = ""


def component(name: str, help_text: str, package: str) -> Command:
    """Make the row of a component that serves until it is told to stop."""

    def add_flags(parser: argparse.ArgumentParser) -> None:
        importlib.import_module(f"{package}.config").add_flags(parser)
        if parser.get_default("log_level") is None:
            parser.add_argument(
                "--log-level", choices=LEVELS, default="info", help="least level that is logged"
            )

    def run(flags: argparse.Namespace) -> int:
        logging.basicConfig(level=flags.log_level.upper(), format=LOG_FORMAT)
        config_module = importlib.import_module(f"{package}.config")
        server = importlib.import_module(f"{package}.server")
        with refusals_of(package):
            config = config_module.from_args(flags)
            return run_until_signal(lambda: server.run(config))

    return Command(name, help_text, add_flags, run)


def _no_flags(_: argparse.ArgumentParser) -> None:
    return


def _kubeconfig_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="the cluster's data")


def _kubeconfig(flags: argparse.Namespace) -> int:
    """Print the administrator's kubeconfig, for `tapir kubeconfig > ~/.kube/config`."""
    path = flags.data_dir / "kubeconfig"
    try:
        sys.stdout.write(path.read_text())
    except OSError as error:
        sys.stderr.write(f"tapir kubeconfig: {path}: {error.strerror}: start `tapir up` first\n")
        return EXIT_USAGE
    return 0


def _proxy(_: argparse.Namespace) -> int:
    sys.stderr.write(
        "tapir proxy: routing of services is not part of this version: "
        "reach pods by their pod IP (docs/compatibility.md)\n"
    )
    return EXIT_USAGE


def _version(_: argparse.Namespace) -> int:
    sys.stdout.write(f"tapir {VERSION}\n")
    return 0


COMMANDS = (
    component("up", "run a whole cluster from one data directory", "tapir.up"),
    Command(
        "datastore",
        "serve the etcd v3 protocol over a SQL database",
        datastore.add_flags,
        datastore.run,
        datastore.parse,
        datastore.NOTE,
    ),
    component("apiserver", "serve the Kubernetes API over an etcd", "control_plane.apiserver"),
    component("scheduler", "give pending pods a node", "control_plane.scheduler"),
    component("controller-manager", "run the controllers", "control_plane.controllers"),
    component("kubelet", "run the pods of one node", "node.kubelet"),
    Command("check", "find damage in a datastore's database", check.add_flags, check.run),
    Command("status", "say how a store and its servers stand", status.add_flags, status.run),
    Command("snapshot", "save, restore or check a snapshot", snapshot.add_flags, snapshot.run),
    Command("import", "bring a store over from elsewhere", importing.add_flags, importing.run),
    Command("export", "take a store over to an etcd", exporting.add_flags, exporting.run),
    Command(
        "certificates",
        "make certificates for a store and its clients",
        certificates.add_flags,
        certificates.run,
    ),
    Command("token", "make a token with which a node joins", token.add_flags, token.run),
    Command("join", "make this machine a node of a cluster", join.add_flags, join.run),
    Command(
        "certs",
        "issue a cluster's certificates anew",
        certs.add_flags,
        certs.run,
    ),
    Command("proxy", "route services (not part of this version)", _no_flags, _proxy),
    Command("kubeconfig", "print the administrator's kubeconfig", _kubeconfig_flags, _kubeconfig),
    Command("version", "print the version", _no_flags, _version),
)
