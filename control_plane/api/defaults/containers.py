"""Defaults of containers: pull policy, ports, probes, environment, resources.

Called by pod_spec.py for containers, initContainers and ephemeralContainers. Source: v1.35 core/v1
defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.defaults.image_names import pull_policy
from control_plane.api.defaults.resource_lists import round_up
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_NUMBERS: Final = (
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
)


def default_container(container: Object) -> None:
    """Fill one container of any of the three kinds, in place."""
    fill_empty(container, "imagePullPolicy", pull_policy(str(container.get("image") or "")))
    fill_empty(container, "terminationMessagePath", "/dev/termination-log")
    fill_empty(container, "terminationMessagePolicy", "File")
    for port in parts(container, "ports"):
        fill_empty(port, "protocol", "TCP")
    for reference in parts(container, "env", "valueFrom", "fieldRef"):
        fill_empty(reference, "apiVersion", "v1")
    for reference in parts(container, "env", "valueFrom", "fileKeyRef"):
        fill_absent(reference, "optional", False)
    for name in PROBES:
        for probe in parts(container, name):
            _default_probe(probe)
    for hook in ("postStart", "preStop"):
        for request in parts(container, "lifecycle", hook, "httpGet"):
            _default_http_get(request)
    round_up(part(container, "resources"), "limits", "requests")


def _default_probe(probe: Object) -> None:
    for field, value in _PROBE_NUMBERS:
        fill_empty(probe, field, value)
    for request in parts(probe, "httpGet"):
        _default_http_get(request)
    for call in parts(probe, "grpc"):
        fill_absent(call, "service", "")


def _default_http_get(request: Object) -> None:
    fill_empty(request, "path", "/")
    fill_empty(request, "scheme", "HTTP")
