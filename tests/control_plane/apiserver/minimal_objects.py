"""The smallest valid object of every resource, and a name that it may have."""

import base64
import random
import uuid
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from control_plane.api.resources import (
    APISERVICES,
    CUSTOMRESOURCEDEFINITIONS,
    FLOWSCHEMAS,
    IPADDRESSES,
    Resource,
)
from tests.control_plane.apiserver.objects import deployment, pod, service
from tests.support.raw_api import Answer, RawApi
from tests.support.wait import wait_until

Object = dict[str, Any]

TEMPLATE = pod("x", labels={"a": "b"})
JOB = {"template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}
ROLE = {"kind": "ClusterRole", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
RULE = {
    "apiGroups": ["a.example"],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["things"],
}
WEBHOOK = {
    "name": "w.a.example",
    "clientConfig": {"url": "https://a.example/w"},
    "rules": [RULE],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}
WEBHOOKS = {"webhooks": [WEBHOOK]}
DEVICES = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "c"}}]}}
TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}


def signing_request(common_name: str = "someone") -> str:
    """Return a PEM request for a certificate, in base64."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


CONTENTS: dict[tuple[str, str], Object] = {
    ("v1", "Event"): {"involvedObject": {"kind": "Pod", "name": "p"}, "reason": "Test"},
    ("v1", "PersistentVolume"): {
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/tmp/x"},
        }
    },
    ("v1", "PersistentVolumeClaim"): {"spec": CLAIM},
    ("v1", "PodTemplate"): {"template": TEMPLATE},
    ("v1", "ReplicationController"): {"spec": {"selector": {"a": "b"}, "template": TEMPLATE}},
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"): WEBHOOKS,
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"): {
        "spec": {
            "matchConstraints": {"resourceRules": [RULE]},
            "validations": [{"expression": "true"}],
        }
    },
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"): {
        "spec": {"policyName": "p", "validationActions": ["Deny"]}
    },
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"): WEBHOOKS,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): {
        "spec": {
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        }
    },
    ("apiregistration.k8s.io/v1", "APIService"): {
        "spec": {"version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 15}
    },
    ("apps/v1", "ControllerRevision"): {"data": {"a": 1}, "revision": 1},
    ("autoscaling/v1", "HorizontalPodAutoscaler"): {
        "spec": {"scaleTargetRef": TARGET, "maxReplicas": 3}
    },
    ("autoscaling/v2", "HorizontalPodAutoscaler"): {
        "spec": {"scaleTargetRef": TARGET, "maxReplicas": 3}
    },
    ("batch/v1", "CronJob"): {"spec": {"schedule": "@hourly", "jobTemplate": {"spec": JOB}}},
    ("batch/v1", "Job"): {"spec": JOB},
    ("certificates.k8s.io/v1", "CertificateSigningRequest"): {
        "spec": {
            "request": signing_request(),
            "signerName": "a.example/s",
            "usages": ["client auth"],
        }
    },
    ("discovery.k8s.io/v1", "EndpointSlice"): {"addressType": "IPv4", "endpoints": []},
    ("events.k8s.io/v1", "Event"): {
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "type": "Normal",
        "regarding": {"kind": "Pod", "name": "p"},
        "note": "text",
        "reason": "Test",
        "action": "Testing",
        "reportingController": "test",
        "reportingInstance": "test-1",
    },
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"): {
        "spec": {"priorityLevelConfiguration": {"name": "global-default"}}
    },
    ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration"): {
        "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    },
    ("networking.k8s.io/v1", "IPAddress"): {
        "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "x"}}
    },
    ("networking.k8s.io/v1", "Ingress"): {
        "spec": {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}}
    },
    ("networking.k8s.io/v1", "IngressClass"): {"spec": {"controller": "a.example/c"}},
    ("networking.k8s.io/v1", "NetworkPolicy"): {"spec": {"podSelector": {}}},
    ("networking.k8s.io/v1", "ServiceCIDR"): {"spec": {"cidrs": ["192.0.2.0/24"]}},
    ("node.k8s.io/v1", "RuntimeClass"): {"handler": "runc"},
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): {"roleRef": ROLE},
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): {"roleRef": ROLE},
    ("resource.k8s.io/v1", "DeviceClass"): {"spec": {}},
    ("resource.k8s.io/v1", "ResourceClaim"): {"spec": DEVICES},
    ("resource.k8s.io/v1", "ResourceClaimTemplate"): {"spec": {"spec": DEVICES}},
    ("resource.k8s.io/v1", "ResourceSlice"): {
        "spec": {
            "driver": "a.example",
            "nodeName": "n",
            "pool": {"name": "p", "generation": 0, "resourceSliceCount": 1},
        }
    },
    ("scheduling.k8s.io/v1", "PriorityClass"): {"value": 5},
    ("storage.k8s.io/v1", "CSIDriver"): {"spec": {}},
    ("storage.k8s.io/v1", "CSINode"): {"spec": {"drivers": []}},
    ("storage.k8s.io/v1", "CSIStorageCapacity"): {"storageClassName": "x"},
    ("storage.k8s.io/v1", "StorageClass"): {"provisioner": "a.example/p"},
    ("storage.k8s.io/v1", "VolumeAttachment"): {
        "spec": {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "v"}}
    },
    ("storage.k8s.io/v1", "VolumeAttributesClass"): {
        "driverName": "a.example",
        "parameters": {"a": "b"},
    },
}
WORKLOADS = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")


def unused_name(resource: Resource) -> str:
    """Return a name that no object of this resource has yet."""
    if resource == IPADDRESSES:
        return f"fd00::{random.randrange(1, 2**16):x}"
    name = f"x-{uuid.uuid4().hex[:8]}"
    if resource == CUSTOMRESOURCEDEFINITIONS:
        return f"{name}s.example.com"
    return f"v1.{name}.example.com" if resource == APISERVICES else name


def minimal_object(resource: Resource, name: str, namespace: str) -> Object:
    """Return the smallest valid object of a resource, with the label mine=yes."""
    if resource.kind in ("Pod", "Service"):
        obj = pod(name) if resource.kind == "Pod" else service(name)
    elif resource.kind in WORKLOADS:
        obj = deployment(name)
        if resource.kind in ("DaemonSet", "StatefulSet"):
            del obj["spec"]["replicas"]
    else:
        obj = dict(CONTENTS.get((resource.api_version, resource.kind), {}))
    if resource == CUSTOMRESOURCEDEFINITIONS:
        plural, _, group = name.partition(".")
        names = {"plural": plural, "kind": plural.removesuffix("s").title()}
        obj["spec"] = {**obj["spec"], "group": group or "example.com", "names": names}
    if resource == APISERVICES:
        obj["spec"] = {**obj["spec"], "group": name.partition(".")[2]}
    for field in ("involvedObject", "regarding"):
        if field in obj:
            obj[field] = {**obj[field], "namespace": namespace}
    identity = {"kind": resource.kind, "apiVersion": resource.api_version}
    return {**obj, **identity, "metadata": {"name": name, "labels": {"mine": "yes"}}}


JUDGED = (CUSTOMRESOURCEDEFINITIONS, FLOWSCHEMAS)  # the server writes conditions into them


def settled(api: RawApi, resource: Resource, path: str, created: Answer) -> Answer:
    """Return what was created, once the server has written into it what it has to say."""
    if resource not in JUDGED:
        return created
    wait_until(lambda: bool(api.get(path).json["status"].get("conditions")), "a condition")
    return api.get(path)
