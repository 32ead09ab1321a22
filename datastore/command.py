"""What `python -m datastore` and `tapir datastore` have in common: from words to a configuration.

`prepare` has to run before `datastore.server` is imported: it sets what gRPC reads when it is
loaded.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import platform
import sys
from typing import TYPE_CHECKING

from datastore import log_output
from datastore.config import DatastoreConfig, from_settings
from datastore.flags import help as flag_help
from datastore.flags.flag import TRUE
from datastore.flags.settings import read
from datastore.flags.sources import from_command_line
from datastore.memory import collect_seldom
from datastore.tls.ciphers import prepare_grpc
from datastore.versions import SERVER_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = ("-h", "-help", "--help", "--h")
log = logging.getLogger(__name__)


def config_of(prog: str, words: Sequence[str]) -> DatastoreConfig:
    """Return the configuration of a command line and the environment.

    ConfigError names what is wrong. After --help and --version the process ends.
    """
    if any(word in HELP for word in words):
        sys.stdout.write(flag_help.text(prog))
        sys.exit(0)
    asked = from_command_line(words).get("version")
    if asked and asked.text in TRUE:
        sys.stdout.write(version())
        sys.exit(0)
    return from_settings(read(words, os.environ))


def version() -> str:
    """Return the lines of etcd's --version, for scripts that look for them."""
    ours = importlib.metadata.version("tapir-kubernetes")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return (
        f"etcd Version: {SERVER_VERSION}\n"
        f"Git SHA: tapir {ours}\n"
        f"Go Version: none, Python {platform.python_version()}\n"
        f"Go OS/Arch: {platform.system().lower()}/{machine}\n"
    )


def prepare(config: DatastoreConfig) -> None:
    """Open the log, say what the flags gave cause to say, and choose gRPC's cipher suites."""
    collect_seldom()
    log_output.configure(config.log)
    prepare_grpc(config.tls)
    for level, message, value in config.all_notes:
        log.log(log_output.LEVELS[level], message, value)
