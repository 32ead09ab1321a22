"""The API server's flags of admission, upstream's names and errors."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from control_plane.api.go_syntax import quote
from control_plane.apiserver.admission_configuration.document import (
    ConfigurationError,
    read_configuration,
)
from control_plane.apiserver.admission_configuration.plugin_names import BY_DEFAULT, NOT_HERE, ORDER
from control_plane.apiserver.admission_configuration.settings import AdmissionSettings
from control_plane.client.flags import boolean

ENABLE, DISABLE = "enable-admission-plugins", "disable-admission-plugins"
FILE_FLAG = "--admission-control-config-file"


@dataclass(frozen=True, slots=True)
class AdmissionOptions:
    """Which plugins are switched on or off, and the configuration file, if there is one."""

    enabled: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()
    path: Path | None = None

    def read(self) -> AdmissionSettings:
        """Return what admission is told; raises ValueError of one line that names the flag."""
        self._check()
        plugins = (BY_DEFAULT | self.enabled) - self.disabled
        if self.path is None:
            return AdmissionSettings(plugins)
        try:
            return AdmissionSettings(plugins, **read_configuration(self.path))
        except ConfigurationError as error:
            raise ValueError(f"{FILE_FLAG} {self.path}: {error}") from error

    def _check(self) -> None:
        for flag, names in ((ENABLE, self.enabled), (DISABLE, self.disabled)):
            for name in sorted(names - set(ORDER)):
                raise ValueError(f"{flag} plugin {quote(name)} is unknown")
        both = sorted(self.enabled & self.disabled)
        if both:
            raise ValueError(f"[{' '.join(both)}] in {ENABLE} and {DISABLE} overlapped")
        for name in sorted(self.enabled & NOT_HERE):
            raise ValueError(f"--{ENABLE}: the plugin {name} is not supported: leave it out")


def add_admission_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    known = ", ".join(name for name in ORDER if name in BY_DEFAULT)
    parser.add_argument(
        f"--{ENABLE}",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help=f"admission plugins to have besides those that are on by default ({known})",
    )
    parser.add_argument(
        f"--{DISABLE}",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help="admission plugins not to have, though they are on by default",
    )
    parser.add_argument(
        FILE_FLAG,
        default="",
        metavar="FILE",
        help="AdmissionConfiguration: what plugins are told",
    )
    parser.add_argument(
        "--allow-privileged",
        nargs="?",
        type=boolean,
        const=True,
        default=True,
        metavar="true",
        help="true: pods may be privileged where Pod Security lets them",
    )


def admission_options(args: argparse.Namespace) -> AdmissionOptions:
    """Read parsed flags; raises ValueError for what cannot be had."""
    if not args.allow_privileged:
        raise ValueError(
            "--allow-privileged=false is not supported: "
            "label namespaces with pod-security.kubernetes.io/enforce"
        )
    path = args.admission_control_config_file
    enabled, disabled = args.enable_admission_plugins, args.disable_admission_plugins
    return AdmissionOptions(_names(enabled), _names(disabled), Path(path) if path else None)


def _names(given: Iterable[str]) -> frozenset[str]:
    return frozenset(name.strip() for text in given for name in text.split(",") if name.strip())
