"""Which level, in which version, a namespace's labels enforce, audit and warn about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from control_plane.api.field_error import FieldError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "pod-security.kubernetes.io/"
PRIVILEGED: Final = "privileged"
BASELINE: Final = "baseline"
RESTRICTED: Final = "restricted"
LEVELS: Final = (PRIVILEGED, BASELINE, RESTRICTED)  # from the loosest to the strictest
LATEST: Final = 10**6  # the minor version that is meant by "latest"
_VERSION: Final = re.compile(r"v1\.(0|[1-9][0-9]*)", re.ASCII)


class Standard(NamedTuple):
    """A level in the version v1.`minor`."""

    level: str = PRIVILEGED
    minor: int = LATEST

    def __str__(self) -> str:
        version = "latest" if self.minor == LATEST else f"v1.{self.minor}"
        return f"{self.level}:{version}"

    @property
    def strictness(self) -> int:
        """The place of the level in LEVELS."""
        return LEVELS.index(self.level)


class Policy(NamedTuple):
    """What is enforced, audited and warned about, and what is wrong with the labels."""

    enforce: Standard = Standard()
    audit: Standard = Standard()
    warn: Standard = Standard()
    errors: tuple[FieldError, ...] = ()

    @property
    def forbids_nothing(self) -> bool:
        """Whether no pod needs to be looked at."""
        return not self.errors and self.warns_of_nothing and self.enforce.level == PRIVILEGED

    @property
    def warns_of_nothing(self) -> bool:
        """Whether no template of pods needs to be looked at."""
        is_open = self.audit.level == self.warn.level == PRIVILEGED
        return not self.errors and is_open


_DEFAULT: Final = Policy()


def policy_of(labels: Mapping[str, str], defaults: Policy = _DEFAULT) -> Policy:
    """Return the policy that a namespace's labels make.

    What is wrong with an enforce label makes it as strict as can be; audit and warn become open.
    Without a label to warn, what is enforced beyond the default is warned about.
    """
    if not any(key.startswith(PREFIX) for key in labels):
        return defaults
    reading = _Reading(labels)
    enforce = reading.standard("enforce", defaults.enforce, RESTRICTED)
    audit = reading.standard("audit", defaults.audit, PRIVILEGED)
    warn = reading.standard("warn", defaults.warn, PRIVILEGED)
    follows = f"{PREFIX}warn" not in labels and f"{PREFIX}enforce" in labels
    if follows and enforce.strictness > warn.strictness:
        pinned = f"{PREFIX}warn-version" in labels
        warn = Standard(enforce.level, warn.minor if pinned else enforce.minor)
    return Policy(enforce, audit, warn, tuple(reading.errors))


class _Reading:
    """Labels under way to standards; collects what is wrong with them."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self.errors: list[FieldError] = []

    def standard(self, mode: str, default: Standard, instead: str) -> Standard:
        """The standard of a mode; `instead` is the level in place of one that does not exist."""
        level = self._labels.get(f"{PREFIX}{mode}", default.level)
        if level not in LEVELS:
            text = f"must be one of {', '.join(LEVELS)}"
            self.errors.append(invalid(f"metadata.labels[{PREFIX}{mode}]", level, text))
            level = instead
        label = f"{PREFIX}{mode}-version"
        if label not in self._labels:
            return Standard(level, default.minor)
        minor = minor_of(self._labels[label])
        if minor is None:
            text = 'must be "latest" or "v1.x"'
            self.errors.append(invalid(f"metadata.labels[{label}]", self._labels[label], text))
        return Standard(level, LATEST if minor is None else minor)


def minor_of(version: str) -> int | None:
    """Return the minor version of "v1.N" or "latest"; None for anything else."""
    if version == "latest":
        return LATEST
    match = _VERSION.fullmatch(version)
    return int(match[1]) if match else None
