"""Request bodies: what is kept, what is warned of, what is refused and in which words."""

import json
from typing import Any

import pytest

from control_plane.api.errors import ApiError, BadRequest
from control_plane.api.field_validation import (
    YAML,
    Decoded,
    Directive,
    Expected,
    check_patched,
    decode_object,
)

POD = Expected("v1", "Pod")
DEPLOYMENT = Expected("apps/v1", "Deployment")
PREFIX = 'Pod in version "v1" cannot be handled as a Pod: '
UNRECOGNIZED = "the object provided is unrecognized (must be of type Pod): "


def pod(spec: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    head = {"apiVersion": "v1", "kind": "Pod", **fields}
    return head if spec is None else {**head, "spec": spec}


def decode(
    body: dict[str, Any] | bytes, directive: Directive = Directive.WARN, expected: Expected = POD
) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_object(raw, expected, directive)


def refusal(body: dict[str, Any] | bytes, directive: Directive = Directive.STRICT) -> str:
    with pytest.raises(BadRequest) as caught:
        decode(body, directive)
    return caught.value.message


@pytest.mark.parametrize(
    ("body", "findings"),
    [
        (pod({"foo": 1}), ['unknown field "spec.foo"']),
        (
            pod({"containers": [{"name": "c", "bad": 1}]}),
            ['unknown field "spec.containers[0].bad"'],
        ),
        (pod(top=1, metadata={"zzz": 1}), ['unknown field "top"', 'unknown field "metadata.zzz"']),
        (pod(metadata={"labels": {"any": "key"}}), []),
        (b'{"metadata":{"name":"a","name":"b"}}', ['duplicate field "metadata.name"']),
        (
            b'{"spec":{"x":1,"nodeName":"a","nodeName":"b","y":1}}',
            ['unknown field "spec.x"', 'duplicate field "spec.nodeName"', 'unknown field "spec.y"'],
        ),
        (
            b'{"metadata":{"labels":{"a":"1","a":"2"}}}',
            ['duplicate field "metadata.labels.a"'],
        ),
    ],
)
def test_fields_are_warned_of_or_refused(body: dict[str, Any] | bytes, findings: list[str]) -> None:
    assert list(decode(body).warnings) == findings
    assert decode(body, Directive.IGNORE).warnings == ()
    if findings:
        text = f"{PREFIX}strict decoding error: {', '.join(findings)}"
        assert refusal(body) == text
    else:
        assert decode(body, Directive.STRICT).warnings == ()


def test_unknown_fields_are_dropped_and_the_last_of_repeated_ones_kept() -> None:
    body = b'{"spec":{"x":1,"nodeName":"a","nodeName":"b"}}'
    assert decode(body).obj == pod({"nodeName": "b"})


def test_nulls_are_absent_fields_and_zero_items() -> None:
    given = pod({"nodeName": None, "containers": [None]}, metadata={"labels": {"a": None}})
    assert decode(given, Directive.STRICT).obj == pod(
        {"containers": [{}]}, metadata={"labels": {"a": ""}}
    )


def test_quantities_and_times_become_canonical() -> None:
    limits = {"cpu": 0.5, "memory": "1024Mi", "x": 2}
    given = pod(
        {"containers": [{"name": "c", "resources": {"limits": limits}}]},
        metadata={"creationTimestamp": "2026-01-02T03:04:05.678+02:00"},
    )
    obj = decode(given).obj
    assert obj["metadata"]["creationTimestamp"] == "2026-01-02T01:04:05Z"
    assert obj["spec"]["containers"][0]["resources"]["limits"] == {
        "cpu": "500m",
        "memory": "1Gi",
        "x": "2",
    }


STRUCT = "json: cannot unmarshal {} into Go struct field {} of type {}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (pod(metadata={"name": 1}), STRUCT.format("number", "ObjectMeta.metadata.name", "string")),
        (
            pod(metadata={"labels": {"a": 1}}),
            STRUCT.format("number", "ObjectMeta.metadata.labels", "string"),
        ),
        (pod(spec="x"), STRUCT.format("string", "Pod.spec", "v1.PodSpec")),  # type: ignore[arg-type]
        (
            pod({"containers": {}}),
            STRUCT.format("object", "PodSpec.spec.containers", "[]v1.Container"),
        ),
        (
            pod({"containers": ["x"]}),
            STRUCT.format("string", "PodSpec.spec.containers", "v1.Container"),
        ),
        (
            pod({"containers": [{"ports": [{"containerPort": "80"}]}]}),
            STRUCT.format("string", "ContainerPort.spec.containers.ports.containerPort", "int32"),
        ),
        (
            pod({"containers": [{"ports": [{"containerPort": 1.5}]}]}),
            STRUCT.format(
                "number 1.5", "ContainerPort.spec.containers.ports.containerPort", "int32"
            ),
        ),
        (
            pod({"priority": 2**31}),
            STRUCT.format("number 2147483648", "PodSpec.spec.priority", "int32"),
        ),
        (pod({"hostNetwork": "yes"}), STRUCT.format("string", "PodSpec.spec.hostNetwork", "bool")),
        (
            pod({"overhead": {"cpu": "much"}}),
            "quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            pod(metadata={"creationTimestamp": "soon"}),
            'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
        ),
        (
            pod({"containers": [{"livenessProbe": {"httpGet": {"port": True}}}]}),
            "json: cannot unmarshal bool into Go value of type int32",
        ),
    ],
)
def test_a_wrong_type_is_refused_in_gos_words(body: dict[str, Any], message: str) -> None:
    for directive in Directive:
        assert refusal(body, directive) == PREFIX + message


def test_bytes_must_be_base64() -> None:
    with pytest.raises(BadRequest, match="illegal base64 data at input byte 1"):
        decode(b'{"data":{"a":"x*yz"}}', expected=Expected("v1", "Secret"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b"{bad",
            f"{UNRECOGNIZED}couldn't get version/kind; json parse error: invalid character 'b' "
            "looking for beginning of object key string ({bad)",
        ),
        (
            b"",
            f"{UNRECOGNIZED}couldn't get version/kind; json parse error: unexpected end of JSON "
            "input (<empty>)",
        ),
        (
            b'{"kind":"Service","apiVersion":"v1"}',
            'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to '
            "(core.Pod): unknown conversion",
        ),
        (
            b'{"kind":"Nope","apiVersion":"v1"}',
            'Nope in version "v1" cannot be handled as a Pod: no kind "Nope" is registered for '
            'version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
        ),
    ],
)
def test_a_body_that_is_no_such_object_is_refused(body: bytes, message: str) -> None:
    assert refusal(body) == message


def test_another_version_of_the_kind_is_refused() -> None:
    scaler = Expected("autoscaling/v1", "HorizontalPodAutoscaler")
    with pytest.raises(BadRequest) as caught:
        decode(b'{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v2"}', expected=scaler)
    assert caught.value.message == (
        "the API version in the data (autoscaling/v2) does not match the expected API version "
        "(autoscaling/v1)"
    )


def test_kind_and_version_may_be_left_out() -> None:
    assert decode(b'{"metadata":{"name":"p"}}').obj == pod(metadata={"name": "p"})


def test_yaml_is_read_like_json() -> None:
    body = b"kind: Pod\nmetadata:\n  name: p\n  labels: {a: b, a: c}\nspec:\n  unk: 1\n"
    decoded = decode_object(body, POD, Directive.WARN, YAML)
    assert decoded.obj == pod({}, metadata={"name": "p", "labels": {"a": "c"}})
    assert decoded.warnings == (
        'line 4: key "a" already set in map',
        'unknown field "spec.unk"',
    )
    with pytest.raises(BadRequest) as caught:
        decode_object(body, POD, Directive.STRICT, YAML)
    assert caught.value.message == (
        f"{PREFIX}strict decoding error: yaml: unmarshal errors:\n"
        '  line 4: key "a" already set in map, unknown field "spec.unk"'
    )


@pytest.mark.parametrize(
    "body",
    [
        b"a: [",
        b"- 1\n---\n- 2",
        b"!!python/object:os.system x",
        b"\xff",
        b"a: &a [x]\nb: [" + b"*a," * 200 + b"]",
        b"a: .nan",
        b"? [x]\n: y",
        b"a: " + b"9" * 400,
        b"a: " + b"9" * 5000,
        b"a: " + b"{a: " * 250 + b"1" + b"}" * 250,
        b"metadata: {creationTimestamp: '0001-01-01T00:00:00+14:00'}",
    ],
)
def test_bad_yaml_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decode_object(body, POD, Directive.WARN, YAML)


def test_a_yaml_equals_sign_is_text() -> None:
    body = b"kind: Pod\nmetadata: {name: p, annotations: {match: =}}\n"
    decoded = decode_object(body, POD, Directive.STRICT, YAML)
    assert decoded.obj["metadata"]["annotations"] == {"match": "="}


def test_yaml_integers_beyond_64_bits_become_floats() -> None:
    fields = {"managedFields": [{"fieldsV1": {"a": 2.0**64}}]}
    body = b"metadata: {managedFields: [{fieldsV1: {a: 18446744073709551616}}]}"
    assert decode_object(body, POD, Directive.WARN, YAML).obj["metadata"] == fields


def test_deep_nesting_is_refused() -> None:
    deep = b'{"openAPIV3Schema":' + b'{"not":' * 900 + b"{}" + b"}" * 901
    crd = b'{"spec":{"versions":[{"schema":' + deep + b"}]}}"
    expected = Expected("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    with pytest.raises(BadRequest, match="max depth"):
        decode(crd, expected=expected)


def test_a_patched_object_is_refused_without_a_name() -> None:
    with pytest.raises(ApiError) as caught:
        check_patched({"spec": {"unk": 1}}, DEPLOYMENT, Directive.STRICT, "map[spec:map[unk:1]]")
    assert caught.value.code == 422
    assert caught.value.message == (
        ' "" is invalid: patch: Invalid value: "map[spec:map[unk:1]]": strict decoding error: '
        'unknown field "spec.unk"'
    )
    assert caught.value.causes[0]["field"] == "patch"
    assert check_patched({"spec": {"unk": 1}}, DEPLOYMENT, Directive.WARN, "").warnings == (
        'unknown field "spec.unk"',
    )
