"""--feature-gates and --runtime-config: what is off in v1.35 unless it is asked for.

There is one such feature here: MutatingAdmissionPolicy, whose API is served in v1beta1 and in
v1alpha1. Every other gate and API is refused by name. Source: the flags of kube-apiserver v1.35.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from control_plane.api.resources import BUILT_IN, OFF_BY_DEFAULT, Resource, ResourceSet

MUTATING_POLICIES: Final = "MutatingAdmissionPolicy"
GATES: Final = (MUTATING_POLICIES,)
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})
# what names many APIs at once: the stages whose versions are meant
_STAGES: Final = {"api/all": ("", "beta", "alpha"), "api/beta": ("beta",), "api/alpha": ("alpha",)}
_OPTIONAL: Final = tuple(dict.fromkeys(row.api_version for row in OFF_BY_DEFAULT))


@dataclass(frozen=True, slots=True)
class Features:
    """The gates that are open, and the group versions that are served besides the usual ones."""

    gates: frozenset[str] = frozenset()
    api_versions: frozenset[str] = frozenset()

    @property
    def resources(self) -> ResourceSet:
        """What is served."""
        return BUILT_IN.extended(*self._rows())

    def _rows(self) -> Iterator[Resource]:
        return (row for row in OFF_BY_DEFAULT if row.api_version in self.api_versions)


def add_feature_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "--feature-gates",
        action="append",
        default=[],
        metavar="NAME=true|false",
        help=f"features that are off by default: {', '.join(GATES)}",
    )
    parser.add_argument(
        "--runtime-config",
        action="append",
        default=[],
        metavar="API=true|false",
        help=f"APIs that are off by default: {', '.join(_OPTIONAL)}, api/beta, api/alpha, api/all",
    )


def features_of(args: argparse.Namespace) -> Features:
    """Read parsed flags; raises ValueError of one line."""
    gates = dict(_gates(_pairs(args.feature_gates)))
    served: dict[str, bool] = {}
    for name, text in _pairs(args.runtime_config):
        is_on = _truth(name, text or "true")
        served |= dict.fromkeys(_meant_by(name, is_on=is_on), is_on)
    on = frozenset(name for name, is_open in gates.items() if is_open)
    versions = frozenset(name for name, is_served in served.items() if is_served)
    if MUTATING_POLICIES in on and not versions:
        raise ValueError(
            f"--feature-gates: {MUTATING_POLICIES} needs its API: give "
            f"--runtime-config={_OPTIONAL[0]}=true"
        )
    return Features(on, versions)


def _pairs(given: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in ",".join(given).split(","):
        if text.strip():
            name, _, value = text.strip().partition("=")
            yield name.strip(), value.strip()


def _gates(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bool]]:
    for name, text in pairs:
        if name not in GATES:
            known = ", ".join(GATES)
            raise ValueError(f"--feature-gates: unrecognized feature gate: {name}: known: {known}")
        if not text:
            raise ValueError(f"--feature-gates: missing bool value for {name}")
        if text not in _TRUE | _FALSE:
            raise ValueError(f"--feature-gates: invalid value of {name}={text}: give true or false")
        yield name, text in _TRUE


def _truth(name: str, text: str) -> bool:
    if text not in _TRUE | _FALSE:
        raise ValueError(f"--runtime-config: invalid value of {name}={text}: give true or false")
    return text in _TRUE


def _meant_by(name: str, *, is_on: bool) -> list[str]:
    if name in _STAGES:
        if not is_on and "" in _STAGES[name]:
            raise ValueError(f"--runtime-config: {name}=false: stable APIs are always served")
        stages = _STAGES[name]
        return [one for one in _OPTIONAL if any(stage and stage in one for stage in stages)]
    if name in _OPTIONAL:
        return [name]
    if is_on and (name == "api/ga" or name in {row.api_version for row in BUILT_IN.rows}):
        return []
    what = "cannot be switched off" if not is_on else "is not an API that is served here"
    raise ValueError(f"--runtime-config: {name} {what}: known: {', '.join(_OPTIONAL)}")
