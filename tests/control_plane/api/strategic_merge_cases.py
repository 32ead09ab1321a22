"""Cases of strategic merge patches: (name, kind of object, patch), judged by kubectl in the test.

The objects are complete and already defaulted where kubectl's own decoding would add something.
"""

from typing import Any

Case = tuple[str, str, dict[str, Any]]

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "p",
        "namespace": "default",
        "labels": {"app": "web", "tier": "front"},
        "annotations": {"note": "old"},
        "finalizers": ["a/one", "b/two", "c/three"],
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "u1"},
        ],
    },
    "spec": {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "k1", "operator": "Exists"}],
        "imagePullSecrets": [{"name": "s1"}, {"name": "s2"}],
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a", "b"]}],
        "containers": [
            {
                "name": "one",
                "image": "one:1",
                "args": ["a", "b"],
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "value": "2"},
                    {"name": "C", "value": "3"},
                ],
                "ports": [
                    {"containerPort": 80, "protocol": "TCP"},
                    {"containerPort": 443, "protocol": "TCP"},
                ],
                "volumeMounts": [{"name": "v1", "mountPath": "/data"}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
            },
            {"name": "two", "image": "two:1", "resources": {}},
        ],
        "volumes": [
            {"name": "v1", "emptyDir": {}},
            {"name": "v2", "configMap": {"name": "cm"}},
        ],
    },
    "status": {},
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "namespace": "default"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "d"}},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        },
        "template": {
            "metadata": {"labels": {"app": "d"}},
            "spec": {"containers": [{"name": "c", "image": "c:1", "resources": {}}]},
        },
    },
    "status": {},
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "s", "namespace": "default"},
    "spec": {
        "selector": {"app": "s"},
        "ports": [
            {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080},
            {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 8443},
        ],
    },
    "status": {"loadBalancer": {}},
}
NODE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n"},
    "spec": {"podCIDRs": ["10.0.0.0/24"], "taints": [{"key": "a", "effect": "NoSchedule"}]},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "1.1.1.1"}],
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "lastHeartbeatTime": None,
                "lastTransitionTime": None,
            },
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {},
    },
}
OBJECTS = {"pod": POD, "deployment": DEPLOYMENT, "service": SERVICE, "node": NODE}


def container(**fields: Any) -> dict[str, Any]:
    """Return a pod patch of the container called one."""
    return {"spec": {"containers": [{"name": "one", **fields}]}}


CASES: list[Case] = [
    ("scalar", "deployment", {"spec": {"replicas": 5}}),
    (
        "null deletes",
        "pod",
        {"metadata": {"labels": {"tier": None}}, "spec": {"nodeSelector": None}},
    ),
    ("null of what is absent", "pod", {"spec": {"hostname": None, "nodeSelector": {"x": None}}}),
    ("map merges", "pod", {"metadata": {"labels": {"new": "1"}}}),
    ("merge by name", "pod", container(image="one:2")),
    ("new item goes first", "pod", {"spec": {"containers": [{"name": "three", "image": "t"}]}}),
    (
        "known and new item",
        "pod",
        {"spec": {"containers": [{"name": "one", "image": "x"}, {"name": "three", "image": "t"}]}},
    ),
    ("reordered items", "pod", {"spec": {"containers": [{"name": "two"}, {"name": "one"}]}}),
    ("delete an item", "pod", {"spec": {"containers": [{"name": "two", "$patch": "delete"}]}}),
    (
        "replace a list",
        "pod",
        {"spec": {"containers": [{"name": "new", "image": "n"}, {"$patch": "replace"}]}},
    ),
    ("replace a map", "pod", {"metadata": {"labels": {"$patch": "replace", "only": "this"}}}),
    ("empty a map", "pod", {"spec": {"nodeSelector": {"$patch": "delete"}}}),
    ("atomic list", "pod", {"spec": {"tolerations": [{"key": "k2", "operator": "Exists"}]}}),
    ("atomic strings", "pod", container(args=["z"])),
    (
        "env by name",
        "pod",
        container(env=[{"name": "B", "value": "22"}, {"name": "D", "value": "4"}]),
    ),
    ("env deleted", "pod", container(env=[{"name": "A", "$patch": "delete"}])),
    ("env value to reference", "pod", container(env=[{"name": "A", "value": None}])),
    ("ports by number", "pod", container(ports=[{"containerPort": 443, "name": "tls"}])),
    ("mounts by path", "pod", container(volumeMounts=[{"mountPath": "/other", "name": "v2"}])),
    ("limits merge", "pod", container(resources={"limits": {"cpu": "2"}})),
    ("primitive list merges", "pod", {"metadata": {"finalizers": ["d/four", "a/one"]}}),
    (
        "primitives deleted",
        "pod",
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["b/two", "x/none"]}},
    ),
    (
        "primitives deleted and added in order",
        "pod",
        {
            "metadata": {
                "$deleteFromPrimitiveList/finalizers": ["b/two"],
                "$setElementOrder/finalizers": ["c/three", "d/four", "a/one"],
                "finalizers": ["d/four"],
            }
        },
    ),
    (
        "order of maps",
        "pod",
        {
            "spec": {
                "$setElementOrder/containers": [{"name": "two"}, {"name": "one"}],
                "containers": [{"name": "one", "image": "one:9"}],
            }
        },
    ),
    (
        "order with a new item",
        "pod",
        {
            "spec": {
                "$setElementOrder/containers": [{"name": "one"}, {"name": "new"}, {"name": "two"}],
                "containers": [{"name": "new", "image": "n"}],
            }
        },
    ),
    (
        "order of one named item, others kept",
        "pod",
        container(
            **{"$setElementOrder/env": [{"name": "C"}], "env": [{"name": "C", "value": "9"}]}
        ),
    ),
    (
        "order without the list",
        "pod",
        {"spec": {"$setElementOrder/containers": [{"name": "two"}, {"name": "one"}]}},
    ),
    (
        "order with deletion",
        "pod",
        {
            "spec": {
                "$setElementOrder/containers": [{"name": "two"}],
                "containers": [{"name": "one", "$patch": "delete"}],
            }
        },
    ),
    (
        "order with deletion and a new item",
        "pod",
        {
            "spec": {
                "$setElementOrder/volumes": [{"name": "v2"}, {"name": "v3"}],
                "volumes": [{"name": "v2", "$patch": "delete"}, {"name": "v3", "emptyDir": {}}],
            }
        },
    ),
    (
        "order with deletion of the first and a new item",
        "pod",
        {
            "spec": {
                "$setElementOrder/containers": [{"name": "three"}],
                "containers": [
                    {"name": "one", "$patch": "delete"},
                    {"name": "three", "image": "t"},
                ],
            }
        },
    ),
    (
        "empty order",
        "pod",
        {
            "metadata": {
                "$setElementOrder/finalizers": [],
                "finalizers": ["d/four", "c/three", "b/two", "a/one"],
            }
        },
    ),
    (
        "volume source changed with retained keys",
        "pod",
        {
            "spec": {
                "volumes": [
                    {"name": "v1", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}
                ]
            }
        },
    ),
    ("volume source left beside", "pod", {"spec": {"volumes": [{"name": "v3", "emptyDir": {}}]}}),
    (
        "strategy changed with retained keys",
        "deployment",
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    ),
    ("nested map merges", "deployment", {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 1}}}}),
    (
        "template",
        "deployment",
        {
            "spec": {
                "template": {
                    "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "t"}},
                    "spec": {"containers": [{"name": "c", "image": "c:2"}]},
                }
            }
        },
    ),
    ("service port", "service", {"spec": {"ports": [{"port": 443, "targetPort": 9443}]}}),
    (
        "service port added",
        "service",
        {"spec": {"ports": [{"name": "x", "port": 9, "protocol": "TCP"}]}},
    ),
    ("service port deleted", "service", {"spec": {"ports": [{"port": 80, "$patch": "delete"}]}}),
    ("owner by uid", "pod", {"metadata": {"ownerReferences": [{"uid": "u1", "controller": True}]}}),
    (
        "owner deleted",
        "pod",
        {"metadata": {"ownerReferences": [{"uid": "u1", "$patch": "delete"}]}},
    ),
    ("pull secrets", "pod", {"spec": {"imagePullSecrets": [{"name": "s3"}, {"name": "s1"}]}}),
    ("host aliases", "pod", {"spec": {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["c"]}]}}),
    ("node pod ranges", "node", {"spec": {"podCIDRs": ["fd00::/64"]}}),
    ("node taints", "node", {"spec": {"taints": [{"key": "b", "effect": "NoExecute"}]}}),
    ("node addresses", "node", {"status": {"addresses": [{"type": "Hostname", "address": "h"}]}}),
    (
        "node condition",
        "node",
        {
            "status": {
                "conditions": [
                    {"type": "Ready", "status": "False"},
                    {"type": "DiskPressure", "status": "False"},
                ]
            }
        },
    ),
    ("new map with nulls", "pod", {"spec": {"securityContext": {"runAsUser": 5, "fsGroup": None}}}),
    (
        "new list with a marked item",
        "pod",
        {
            "spec": {
                "initContainers": [{"name": "i", "image": "i"}, {"name": "j", "$patch": "delete"}]
            }
        },
    ),
    ("new map that is marked", "pod", {"spec": {"dnsConfig": {"$patch": "delete"}}}),
    ("empty list", "pod", {"spec": {"containers": []}}),
    ("empty atomic list", "pod", {"spec": {"tolerations": []}}),
    ("empty patch", "pod", {}),
]

REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("unknown marker", "pod", {"spec": {"nodeSelector": {"$patch": "merge"}}}, 400,
     "unknown patch type: merge in map: map[$patch:merge]"),
    ("item merge marker", "pod", {"spec": {"containers": [{"$patch": "merge"}]}}, 400,
     "merging lists cannot yet be specified in the patch"),
    ("item without key", "pod", {"spec": {"containers": [{"image": "x"}]}}, 400,
     "map: map[image:x] does not contain declared merge key: name"),
    ("retainKeys misses a key", "deployment",
     {"spec": {"strategy": {"$retainKeys": ["rollingUpdate"], "type": "Recreate"}}}, 400,
     "invalid patch format of retainKeys"),
    ("order does not match", "pod",
     {"spec": {"$setElementOrder/containers": [{"name": "one"}, {"name": "two"}],
               "containers": [{"name": "two", "image": "x"}, {"name": "one", "image": "y"}]}}, 400,
     "The order in patch list:\n[map[image:x name:two] map[image:y name:one]]\n doesn't match "
     "$setElementOrder list:\n[map[name:one] map[name:two]]\n"),
    ("order that ends before a marker", "pod",
     {"spec": {"$setElementOrder/imagePullSecrets": [{"name": "s1"}],
               "imagePullSecrets": [{"name": "s1"}, {"$patch": "replace"}]}}, 400,
     "The order in patch list:\n[map[name:s1] map[$patch:replace]]\n doesn't match "
     "$setElementOrder list:\n[map[name:s1]]\n"),
    ("order without a field", "pod", {"spec": {"$setElementOrder": [{"name": "one"}]}}, 400,
     "invalid patch format of setElementOrder list"),
    ("order that is no list", "pod", {"spec": {"$setElementOrder/containers": "x"}}, 400,
     "expected a []interface {}, but received a string"),
    ("primitive list without a field", "pod", {"metadata": {"$deleteFromPrimitiveList": []}}, 400,
     "invalid patch format of primitive list"),
    ("mixed list", "pod", {"metadata": {"finalizers": ["a", {"b": 1}]}}, 400,
     "list element types are not identical: [[a/one b/two c/three] [a map[b:1]]]"),
]  # fmt: skip
