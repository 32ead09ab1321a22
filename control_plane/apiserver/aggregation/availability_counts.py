"""Which APIServices are unavailable, and how often they became so, by upstream's names.

Written on the event loop alone. Source: the metrics of kube-aggregator v1.35.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from control_plane.api.objects import Object


class AvailabilityCounts:
    """One number for each APIService that there is."""

    def __init__(self) -> None:
        """Nothing has been judged yet."""
        self._unavailable: dict[str, bool] = {}
        self._became: Counter[tuple[str, str]] = Counter()

    def judged(self, name: str, condition: Object) -> None:
        """Take in the condition Available of an APIService as it is found now."""
        is_unavailable = condition["status"] != "True"
        if is_unavailable and not self._unavailable.get(name, False):
            self._became[name, condition["reason"]] += 1
        self._unavailable[name] = is_unavailable

    def keep(self, names: Iterable[str]) -> None:
        """Forget the APIServices that are gone."""
        gone = self._unavailable.keys() - set(names)
        for name in gone:
            del self._unavailable[name]
        for labels in [one for one in self._became if one[0] in gone]:
            del self._became[labels]

    def look(self) -> Callable[[], Iterable[Metric]]:
        """See how things are; what is returned puts it into words, in any thread."""
        unavailable, became = dict(self._unavailable), dict(self._became)
        return lambda: _families(unavailable, became)


def _families(
    unavailable: Mapping[str, bool], became: Mapping[tuple[str, str], int]
) -> Iterator[Metric]:
    present = GaugeMetricFamily(
        "aggregator_unavailable_apiservice",
        "Gauge of APIServices which are marked as unavailable broken down by APIService name.",
        labels=("name",),
    )
    for name, is_unavailable in unavailable.items():
        present.add_metric((name,), int(is_unavailable))
    total = CounterMetricFamily(
        "aggregator_unavailable_apiservice_total",
        "Counter of APIServices which are marked as unavailable broken down by APIService name "
        "and reason.",
        labels=("name", "reason"),
    )
    for labels, count in became.items():
        total.add_metric(labels, count)
    yield from (present, total)
