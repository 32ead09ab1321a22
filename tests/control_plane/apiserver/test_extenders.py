"""Real extenders: the definitions of cert-manager, prometheus-operator and the Gateway API.

They are taken as they are published: large schemas, expressions, several versions. Their objects
are defaulted, accepted and refused as by upstream.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.custom_stage import DEFINITIONS, Object, is_established
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer
from tests.support.go_modules import GoModule
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

MODULES = (
    GoModule("github.com/cert-manager/cert-manager", "v1.19.1", "deploy/crds/*.yaml"),
    GoModule(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd-full/monitoring*.yaml",
    ),
    GoModule("sigs.k8s.io/gateway-api", "v1.4.0", "config/crd/standard/gateway*.yaml"),
)


@pytest.fixture(scope="module")
def definitions(server: ThreadedApiServer) -> Iterator[list[Object]]:
    """The definitions, sent as the files that they are, and established until the end of this."""
    files = [file for module in MODULES for file in module.fetched()]
    yaml = {"Content-Type": "application/yaml"}
    with raw_api(server) as api, ExitStack() as stack:
        wanted: list[Object] = []
        for file in files:
            made = api.request("POST", DEFINITIONS, file.read_bytes(), yaml)
            assert made.code == 201, f"{file}: {made.text[:2000]}"
            stack.callback(gone, api, made.json["metadata"]["name"])
            wanted.append(made.json)
        for one in wanted:
            established(api, one["metadata"]["name"])
        yield wanted


def established(api: RawApi, name: str) -> None:
    wait_until(lambda: is_established(api.get(f"{DEFINITIONS}/{name}").json), name)


def gone(api: RawApi, name: str) -> None:
    api.delete(f"{DEFINITIONS}/{name}")
    wait_until(lambda: api.get(f"{DEFINITIONS}/{name}").code == 404, f"{name} is gone")


def test_all_versions_are_served_and_described(definitions: list[Object], api: RawApi) -> None:
    assert len(definitions) >= 20
    for one in definitions:
        spec = one["spec"]
        for version in (one for one in spec["versions"] if one["served"]):
            group_version = f"{spec['group']}/{version['name']}"
            found = api.get(f"/apis/{group_version}").json["resources"]
            assert spec["names"]["plural"] in [resource["name"] for resource in found]
            schemas = api.get(f"/openapi/v3/apis/{group_version}").json["components"]["schemas"]
            place = ".".join([*reversed(spec["group"].split(".")), version["name"]])
            properties = schemas[f"{place}.{spec['names']['kind']}"]["properties"]
            declared = version["schema"]["openAPIV3Schema"]["properties"]
            assert properties.keys() == declared.keys()
            path = f"/apis/{group_version}/{spec['names']['plural']}"
            assert api.get(path).json["items"] == []


def refusals(api: RawApi, path: str, right: Object, wrong: list[tuple[Object, str]]) -> None:
    """Each change of a right object's spec is refused with a text."""
    for change, text in wrong:
        refused = api.post(path, {**right, "spec": {**right["spec"], **change}})
        assert (refused.code, refused.reason) == (422, "Invalid"), refused.text
        assert text in refused.message


@pytest.mark.usefixtures("definitions")
def test_certificates(
    api: RawApi, server: ThreadedApiServer, tmp_path: Path, namespace: str
) -> None:
    path = f"/apis/cert-manager.io/v1/namespaces/{namespace}/certificates"
    right = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "web"},
        "spec": {
            "secretName": "web-tls",
            "dnsNames": ["example.com"],
            "issuerRef": {"name": "ca", "kind": "ClusterIssuer"},
            "privateKey": {"algorithm": "ECDSA", "size": 256},
        },
    }
    assert api.post(f"{path}?fieldValidation=Strict", right).code == 201
    wrong: list[tuple[Object, str]] = [
        ({"secretName": None}, "spec.secretName: Required value"),
        ({"issuerRef": {}}, "spec.issuerRef.name: Required value"),
        (
            {"privateKey": {"algorithm": "DSA"}},
            'spec.privateKey.algorithm: Unsupported value: "DSA": supported values: "RSA", '
            '"ECDSA", "Ed25519"',
        ),
        (
            {"dnsNames": "x"},
            'spec.dnsNames: Invalid value: "string": spec.dnsNames in body must be of type '
            'array: "string"',
        ),
        ({"usages": ["fly"]}, 'spec.usages[0]: Unsupported value: "fly": supported values: '),
        ({"isCA": "yes"}, 'spec.isCA in body must be of type boolean: "string"'),
    ]
    refusals(api, path, {**right, "metadata": {"name": "wrong"}}, wrong)
    ready = {"type": "Ready", "status": "True", "reason": "Issued", "message": "up to date"}
    assert api.patch(f"{path}/web/status", {"status": {"conditions": [ready]}}).code == 200
    kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
    heading, row = kubectl("get", "cert", "web").splitlines()
    assert heading.split() == ["NAME", "READY", "SECRET", "AGE"]
    assert row.split()[:3] == ["web", "True", "web-tls"]
    explained = kubectl("explain", "certificates.spec.privateKey.algorithm")
    assert "FIELD: algorithm <string>" in explained


@pytest.mark.usefixtures("definitions")
def test_monitoring(api: RawApi, server: ThreadedApiServer, tmp_path: Path, namespace: str) -> None:
    path = f"/apis/monitoring.coreos.com/v1/namespaces/{namespace}/prometheuses"
    api_version = "monitoring.coreos.com/v1"
    right = {
        "apiVersion": api_version,
        "kind": "Prometheus",
        "metadata": {"name": "main"},
        "spec": {"replicas": 2, "serviceMonitorSelector": {}, "retention": "10d"},
    }
    made = api.post(f"{path}?fieldValidation=Strict", right)
    assert made.code == 201, made.text
    spec = made.json["spec"]
    assert (spec["scrapeInterval"], spec["evaluationInterval"]) == ("30s", "30s")
    assert spec["portName"] == "web"
    wrong: list[tuple[Object, str]] = [
        ({"scrapeInterval": "soon"}, "spec.scrapeInterval in body should match '^(0|(([0-9]+)y)?"),
        ({"logLevel": "loud"}, 'spec.logLevel: Unsupported value: "loud": supported values: '),
        ({"replicas": "two"}, 'spec.replicas in body must be of type integer: "string"'),
        ({"additionalScrapeConfigs": {}}, "spec.additionalScrapeConfigs.key: Required value"),
    ]
    refusals(api, path, {**right, "metadata": {"name": "wrong"}}, wrong)
    kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
    kubectl("scale", "prometheuses.monitoring.coreos.com/main", "--replicas=3")
    assert api.get(f"{path}/main").json["spec"]["shards"] == 3
    group = {"name": "g", "rules": [{"record": "one", "expr": 1}]}
    rule = {
        "apiVersion": api_version,
        "kind": "PrometheusRule",
        "metadata": {"name": "r"},
        "spec": {"groups": [group]},
    }
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(rule))
    twice = {**rule, "metadata": {"name": "s"}, "spec": {"groups": [group, group]}}
    refused = api.post(f"/apis/{api_version}/namespaces/{namespace}/prometheusrules", twice)
    assert 'spec.groups[1]: Duplicate value: {"name":"g"}' in refused.message
    explained = kubectl("explain", "prometheuses.spec.alerting.alertmanagers.tlsConfig.caFile")
    assert "FIELD: caFile <string>" in explained


@pytest.mark.usefixtures("definitions")
def test_routes_and_their_rules(api: RawApi, namespace: str) -> None:
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes"
    right: Object = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "route"},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [{}]},
    }
    made = api.post(path, right)
    assert made.code == 201, made.text
    spec = made.json["spec"]
    assert spec["parentRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway"}
    ]
    assert spec["rules"] == [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]
    one = {"path": {"type": "PathPrefix", "value": "no-slash"}}
    redirect = {"type": "RequestRedirect"}
    wrong: list[tuple[Object, str]] = [
        ({"rules": [{"matches": [one]}]}, "value must be an absolute path and start with '/'"),
        ({"rules": [{"filters": [redirect]}]}, "filter.requestRedirect must be specified"),
        ({"hostnames": ["*"]}, "spec.hostnames[0] in body should match '^(\\*\\.)?[a-z0-9]"),
    ]
    refusals(api, path, {**right, "metadata": {"name": "wrong"}}, wrong)
    seen = api.get(f"{path}/route".replace("/v1/", "/v1beta1/")).json
    assert (seen["apiVersion"], seen["spec"]) == ("gateway.networking.k8s.io/v1beta1", spec)
