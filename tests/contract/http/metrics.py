"""/metrics read back: names, types and samples, as Prometheus' text format has them."""

import re
from typing import NamedTuple

from tests.contract.http.web import Web

_SAMPLE = re.compile(r"([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Sample(NamedTuple):
    """One line."""

    name: str
    labels: dict[str, str]
    value: float


def types(web: Web) -> dict[str, str]:
    """Return the type of each metric."""
    lines = web.get("/metrics").text.splitlines()
    return dict(line.split()[2:4] for line in lines if line.startswith("# TYPE "))


def samples(web: Web, name: str, **labels: str) -> list[Sample]:
    """Return the samples of a name that have these labels."""
    lines = web.get("/metrics").text.splitlines()
    found = (_sample(line) for line in lines if line.startswith(name))
    return [s for s in found if s.name == name and labels.items() <= s.labels.items()]


def value_of(web: Web, name: str, **labels: str) -> float:
    """Return the value of one sample, 0 if it is not there."""
    return next((sample.value for sample in samples(web, name, **labels)), 0.0)


def _sample(line: str) -> Sample:
    found = _SAMPLE.fullmatch(line)
    assert found is not None, line
    return Sample(found[1], dict(_LABEL.findall(found[2] or "")), float(found[3]))
