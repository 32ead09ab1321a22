"""Stored values in forms and versions that this server does not write itself."""

import orjson
import pytest

from control_plane.api.resources import HORIZONTALPODAUTOSCALERS, PODS, Resource
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.storage.codec import Codec
from control_plane.apiserver.storage.stored_object import UnreadableError, stored_object

AUTOSCALER_V1 = {
    "kind": "HorizontalPodAutoscaler",
    "apiVersion": "autoscaling/v1",
    "metadata": {"name": "h", "namespace": "n"},
    "spec": {
        "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
        "maxReplicas": 3,
        "targetCPUUtilizationPercentage": 70,
    },
}


def test_an_older_version_is_converted_to_the_one_that_is_stored_today() -> None:
    value = envelope.encode(AUTOSCALER_V1)
    item, obj = Codec(HORIZONTALPODAUTOSCALERS).item(value, 5)
    assert obj["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    assert b'"averageUtilization":70' in item
    assert b"targetCPUUtilizationPercentage" not in item


def test_a_protobuf_value_becomes_an_item_with_its_revision() -> None:
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": {"nodeName": "n"}}
    item, obj = Codec(PODS).item(envelope.encode(pod), 7)
    assert item.startswith(b'{"metadata":{"resourceVersion":"7"')
    assert obj["spec"]["nodeName"] == "n"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "not a Kubernetes object"),
        (b"k8s\0", "no kind"),
        (b"k8s\0\xff", "EOF"),
        (b"k8s:enc:aescbc:v1:key1:x", "tried to read encrypted data"),
        (
            b'{"kind":"Pod","apiVersion":"v2","metadata":{}}',
            "it is stored as v2 Pod, and v1 Pod is expected",
        ),
    ],
)
def test_what_is_no_object_of_ours_is_refused_by_name(value: bytes, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        stored_object(value, "v1", "Pod")


@pytest.mark.parametrize("resource", [PODS, HORIZONTALPODAUTOSCALERS])
def test_an_object_is_answered_as_it_would_be_read(resource: Resource) -> None:
    codec = Codec(resource)
    obj = {
        "metadata": {"resourceVersion": "1", "name": "o", "selfLink": "/", "labels": {"a": "b"}},
        "apiVersion": resource.api_version,
        "spec": {"minReplicas": 2, "metrics": []},
        "kind": resource.kind,
    }
    value = codec.encode(obj)
    answered, read = codec.written(obj, value, 7), codec.decode(value, 7)
    assert orjson.dumps(answered) == orjson.dumps(read)
    assert answered["metadata"]["resourceVersion"] == "7"
