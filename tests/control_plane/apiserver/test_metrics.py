"""/metrics under upstream's names: requests, watches, stored objects and calls to the store."""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from control_plane.api.resources import EVENTS, PODS, SERVICES
from control_plane.apiserver.metrics.histogram import Histogram
from control_plane.apiserver.metrics.requests import RequestCounts, RequestLabels
from control_plane.apiserver.metrics.store_calls import StoreCalls
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

Labels = dict[str, str]
families: Any = text_string_to_metric_families  # which has no types


def scraped(api: RawApi) -> dict[str, list[tuple[Labels, float]]]:
    """Return the samples of each name."""
    answer = api.get("/metrics", "*/*")
    assert answer.code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples: dict[str, list[tuple[Labels, float]]] = {}
    for family in families(answer.text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return samples


def total(samples: dict[str, list[tuple[Labels, float]]], name: str, **labels: str) -> float:
    """Return the sum of a name's samples that have these labels."""
    found = samples.get(name, [])
    return sum(number for seen, number in found if labels.items() <= seen.items())


def value(api: RawApi, name: str, **labels: str) -> float:
    """Return what the server says now."""
    return total(scraped(api), name, **labels)


def test_a_request_is_counted_by_what_it_is_and_how_it_ends(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    kind = {"group": "", "version": "v1", "resource": "configmaps", "component": "apiserver"}
    steps: list[tuple[Labels, Callable[[], object]]] = [
        ({"verb": "POST", "scope": "resource", "code": "201", "dry_run": ""},
         lambda: api.post(path, config_map("a"))),
        ({"verb": "POST", "scope": "resource", "code": "409", "dry_run": ""},
         lambda: api.post(path, config_map("a"))),
        ({"verb": "POST", "scope": "resource", "code": "201", "dry_run": "All"},
         lambda: api.post(f"{path}?dryRun=All", config_map("b"))),
        ({"verb": "GET", "scope": "resource", "code": "200"}, lambda: api.get(f"{path}/a")),
        ({"verb": "GET", "scope": "resource", "code": "404"}, lambda: api.get(f"{path}/none")),
        ({"verb": "LIST", "scope": "namespace", "code": "200"}, lambda: api.get(path)),
        ({"verb": "LIST", "scope": "cluster"}, lambda: api.get("/api/v1/configmaps")),
        ({"verb": "PATCH", "code": "200"}, lambda: api.patch(f"{path}/a", {"data": {"x": "1"}})),
        ({"verb": "APPLY", "code": "201"},
         lambda: api.apply(f"{path}/c", {"kind": "ConfigMap", "apiVersion": "v1",
                                         "metadata": {"name": "c"}})),
        ({"verb": "DELETE", "code": "200"}, lambda: api.delete(f"{path}/a")),
        ({"verb": "DELETECOLLECTION", "scope": "namespace"}, lambda: api.delete(path)),
    ]  # fmt: skip
    before = scraped(api)
    for _, step in steps:
        step()
    after = scraped(api)
    for labels, _ in steps:
        counts = [total(of, "apiserver_request_total", **kind, **labels) for of in (before, after)]
        assert counts[1] == counts[0] + 1, labels


def test_durations_and_sizes_are_histograms(api: RawApi, namespace: str) -> None:
    api.get(f"/api/v1/namespaces/{namespace}/configmaps")
    found = scraped(api)
    kind = {"verb": "LIST", "resource": "configmaps", "scope": "namespace"}
    buckets = [
        (labels["le"], count)
        for labels, count in found["apiserver_request_duration_seconds_bucket"]
        if kind.items() <= labels.items()
    ]
    assert [bound for bound, _ in buckets[:3]] == ["0.005", "0.025", "0.05"]
    assert buckets[-1][0] == "+Inf"
    assert [count for _, count in buckets] == sorted(count for _, count in buckets)
    assert "apiserver_response_sizes_bucket" in found
    assert "apiserver_request_sli_duration_seconds_bucket" in found


@pytest.fixture
def watching(server: ThreadedApiServer, namespace: str) -> Iterator[None]:
    """Somebody watches config maps until there is one."""

    def watch() -> None:
        with raw_api(server) as client:
            events = client.watch(f"/api/v1/namespaces/{namespace}/configmaps?watch=1")
            next(events)
            events.close()

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join()


@pytest.mark.usefixtures("watching")
def test_watches_are_long_running_and_their_events_counted(api: RawApi, namespace: str) -> None:
    kind = {"verb": "WATCH", "resource": "configmaps", "scope": "namespace"}
    wait_until(lambda: value(api, "apiserver_longrunning_requests", **kind) > 0, "the watch")
    sent = {"group": "", "version": "v1", "resource": "configmaps"}
    before = value(api, "apiserver_watch_events_total", **sent)
    assert api.post(f"/api/v1/namespaces/{namespace}/configmaps", config_map("a")).code == 201
    wait_until(lambda: value(api, "apiserver_watch_events_total", **sent) > before, "the event")
    assert value(api, "apiserver_watch_events_sizes_count", **sent) >= before + 1


def test_stored_objects_and_calls_to_the_store(api: RawApi, namespace: str) -> None:
    api.post(f"/api/v1/namespaces/{namespace}/configmaps", config_map("a"))
    created = {"operation": "create", "group": "", "resource": "configmaps"}
    assert value(api, "etcd_request_duration_seconds_count", **created) >= 1
    assert value(api, "etcd_requests_total", **created) >= 1
    assert value(api, "etcd_request_errors_total", **created) == 0
    wait_until(lambda: value(api, "apiserver_storage_objects", resource="namespaces") >= 5, "them")
    assert value(api, "apiserver_resource_objects", group="", resource="namespaces") >= 5
    assert value(api, "apiserver_resource_size_estimate_bytes", resource="namespaces") > 500


def test_no_sample_comes_twice_and_the_rest_is_there(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for query in ("", "?dryRun=All"):
        api.get(path + query)
        api.post(path + query, config_map("a"))
    found = scraped(api)
    for name, samples in found.items():
        kinds = [tuple(sorted(labels.items())) for labels, _ in samples]
        assert len(kinds) == len(set(kinds)), name
    assert found["kubernetes_build_info"][0][0]["git_version"].startswith("v1.35")
    assert {"mutating", "readOnly"} == {
        labels["request_kind"] for labels, _ in found["apiserver_current_inflight_requests"]
    }
    assert "process_resident_memory_bytes" in found
    assert value(api, "apiserver_request_total", subresource="/metrics", verb="GET") >= 1


def test_attempts_are_counted_by_how_they_ended(server: ThreadedApiServer, api: RawApi) -> None:
    names = ("authentication_attempts", "authorization_attempts_total")
    results = (("success", "error"), ("allowed", "no-opinion"))
    before = scraped(api)
    with RawApi(server.url, server.pki.pair("ca").certificate, token="nobody's") as unknown:
        assert unknown.get("/api/v1/pods").code == 401
    with raw_api(server, "") as nobody:
        assert nobody.get("/api/v1/pods").code == 403
    assert api.get("/api/v1/namespaces").code == 200
    after = scraped(api)
    for name, (good, bad) in zip(names, results, strict=True):
        grown = [total(after, name, result=r) - total(before, name, result=r) for r in (good, bad)]
        assert min(grown) >= 1, name
    for name in ("authentication", "authorization"):
        attempts = name + ("_attempts_total" if name == "authorization" else "_attempts")
        measured = total(after, f"{name}_duration_seconds_count")
        assert measured == total(after, attempts), name


def test_client_certificates_are_counted_by_what_is_left_of_them(
    server: ThreadedApiServer, api: RawApi
) -> None:
    name = "apiserver_client_certificate_expiration_seconds"
    before = scraped(api)
    assert api.get("/api/v1/namespaces").code == 200
    with RawApi(server.url, server.pki.pair("ca").certificate, token="nobody's") as unknown:
        unknown.get("/api/v1/namespaces")  # which comes without one
    after = scraped(api)
    grown = {
        bound: total(after, f"{name}_bucket", le=bound) - total(before, f"{name}_bucket", le=bound)
        for bound in ("0.0", "86400.0", "+Inf")
    }
    assert (grown["0.0"], grown["86400.0"]) == (0, 0)
    assert grown["+Inf"] >= 2
    left = total(after, f"{name}_sum") - total(before, f"{name}_sum")
    assert 86_400 < left / grown["+Inf"] <= 366 * 86_400
    assert len(after[f"{name}_bucket"]) == 15


def test_users_and_looked_up_tokens_are_counted(server: ThreadedApiServer, api: RawApi) -> None:
    account = "/api/v1/namespaces/default/serviceaccounts"
    api.post(account, {"metadata": {"name": "counted"}})
    token = api.post(f"{account}/counted/token", {"spec": {}}).json["status"]["token"]
    cache, users = "authentication_token_cache", "authenticated_user_requests"
    before = scraped(api)
    with RawApi(server.url, server.pki.pair("ca").certificate, token=token) as robot:
        assert [robot.get("/version").code for _ in range(3)] == [200] * 3
    after = scraped(api)

    def grown(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    assert grown(f"{cache}_request_total", status="hit") == 2
    assert grown(f"{cache}_request_total", status="miss") == 1
    assert grown(f"{cache}_request_duration_seconds_count", status="hit") == 2
    assert grown(f"{cache}_fetch_total", status="ok") == 1
    assert total(after, f"{cache}_active_fetch_count", status="in_flight") == 0
    assert grown(users, username="other") >= 3


def test_a_request_that_takes_too_long_is_counted_as_terminated() -> None:
    counts = RequestCounts()
    series = counts.begin(RequestLabels("LIST", dry_run="All", resource="pods"))
    counts.terminate(series, 504)
    counts.terminate(None, 429)
    assert list(counts.terminated.items()) == [((series.labels.without_dry_run, 504), 1)]


def test_metrics_are_not_for_everybody(server: ThreadedApiServer) -> None:
    with raw_api(server, "") as nobody:
        assert nobody.get("/metrics").code in (401, 403)


def test_what_has_no_path_of_ours_is_not_counted(api: RawApi) -> None:
    api.get("/some/path/that/is/none")
    assert not re.search(r"/some/path", api.get("/metrics", "*/*").text)


def test_requests_in_flight_are_those_that_have_begun() -> None:
    counts = RequestCounts()
    read, write = RequestLabels("GET"), RequestLabels("POST")
    watch = RequestLabels("WATCH", resource="pods")
    begun = [counts.begin(labels) for labels in (read, write, write, watch)]
    assert counts.in_flight == {"readOnly": 1, "mutating": 2}
    assert counts.long_running[watch.without_dry_run] == 1
    for series in begun:
        series.end(200, 0.01, 10)
    assert counts.in_flight == {"readOnly": 0, "mutating": 0}
    assert counts.long_running[watch.without_dry_run] == 0
    assert counts.series[write].codes == {200: 2}


def test_a_histogram_counts_up_to_each_bound() -> None:
    histogram = Histogram((1.0, 2.0))
    for amount in (0.5, 1.0, 1.5, 3.0):
        histogram.observe(amount)
    assert histogram.seen() == ([("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)], 6.0)


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        (b"/some/root/pods/n/a", "pods"),
        (b"/some/root/services/specs/n/a", "services"),
        (b"/some/root/events/n/a", "events"),
        (b"/some/root/masterleases/1.2.3.4", ""),
        (b"", ""),
    ],
)
def test_a_call_to_the_store_is_counted_by_the_resource_of_its_key(
    key: bytes, resource: str
) -> None:
    calls = StoreCalls((PODS, SERVICES, EVENTS), "/some/root")
    calls.observe("get", key, 0.1)
    assert list(calls.calls) == [("get", "", resource)]
