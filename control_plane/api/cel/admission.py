"""The variables of expressions in admission: what policies and match conditions may name.

Source: the environments of validating admission policies, v1.35.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from control_plane.api.cel import patch_types
from control_plane.api.cel.environment import Environment
from control_plane.api.cel.libraries.authorization import AUTHORIZER, RESOURCE_CHECK
from control_plane.api.cel.patch_types import PATCH_TYPES
from control_plane.api.cel.types import (
    BOOL,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Field,
    ObjectType,
    Type,
    list_of,
    map_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def _object(name: str, fields: Mapping[str, Type]) -> ObjectType:
    return ObjectType(name, fields={key: Field(key, one) for key, one in fields.items()})


_VERSIONED: Final = {"group": STRING, "version": STRING}
_KIND: Final = _object("kubernetes.GroupVersionKind", {**_VERSIONED, "kind": STRING})
_RESOURCE: Final = _object("kubernetes.GroupVersionResource", {**_VERSIONED, "resource": STRING})
USER: Final = _object(
    "kubernetes.UserInfo",
    {
        "username": STRING,
        "uid": STRING,
        "groups": list_of(STRING),
        "extra": map_of(STRING, list_of(STRING)),
    },
)
REQUEST: Final = _object(
    "kubernetes.AdmissionRequest",
    {
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": STRING,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": STRING,
        "name": STRING,
        "namespace": STRING,
        "operation": STRING,
        "userInfo": USER,
        "dryRun": BOOL,
        "options": DYN,
    },
)
_CONDITION: Final = _object(
    "kubernetes.NamespaceCondition",
    {
        "type": STRING,
        "status": STRING,
        "lastTransitionTime": TIMESTAMP,
        "message": STRING,
        "reason": STRING,
    },
)
_METADATA: Final = ObjectType(
    "kubernetes.NamespaceMetadata",
    fields={
        "UID": Field("uid", STRING),
        **{
            key: Field(key, one)
            for key, one in {
                "name": STRING,
                "generateName": STRING,
                "namespace": STRING,
                "labels": map_of(STRING, STRING),
                "annotations": map_of(STRING, STRING),
                "creationTimestamp": TIMESTAMP,
                "deletionGracePeriodSeconds": INT,
                "deletionTimestamp": TIMESTAMP,
                "generation": INT,
                "resourceVersion": STRING,
                "finalizers": list_of(STRING),
            }.items()
        },
    },
)
NAMESPACE: Final = _object(
    "kubernetes.Namespace",
    {
        "metadata": _METADATA,
        "spec": _object("kubernetes.NamespaceSpec", {"finalizers": list_of(STRING)}),
        "status": _object(
            "kubernetes.NamespaceStatus", {"conditions": list_of(_CONDITION), "phase": STRING}
        ),
    },
)
_AUTHORIZATION: Final = {"authorizer": AUTHORIZER, "authorizer.requestResource": RESOURCE_CHECK}


@functools.cache
def condition_environment(*, has_params: bool = False) -> Environment:
    """Return the environment of match conditions; those of policies may have params."""
    params = {"params": DYN} if has_params else {}
    seen = {"object": DYN, "oldObject": DYN, "request": REQUEST}
    return Environment({**seen, **params, "namespaceObject": NAMESPACE, **_AUTHORIZATION})


@functools.cache
def policy_environment(*, has_params: bool, has_authorizer: bool = True) -> Environment:
    """Return the environment of a policy's expressions, before its variables are known."""
    params = {"params": DYN} if has_params else {}
    asked = _AUTHORIZATION if has_authorizer else {}
    seen = {"object": DYN, "oldObject": DYN, "request": REQUEST}
    return Environment({**seen, **params, "namespaceObject": NAMESPACE, **asked})


@functools.cache
def mutation_environment(*, has_params: bool) -> Environment:
    """Return the environment of what changes objects, which has the types of patches besides."""
    seen = {"object": DYN, "oldObject": DYN, "request": REQUEST, "namespaceObject": NAMESPACE}
    params = {"params": DYN} if has_params else {}
    return Environment({**seen, **params, **_AUTHORIZATION}, patch_types.LIBRARY, PATCH_TYPES)


def with_variables(environment: Environment, variables: Mapping[str, Type]) -> Environment:
    """Return the environment with `variables.a` for each of a policy's own variables."""
    return environment.extended({"variables": _object("kubernetes.variables", variables)})
