"""Probe types: PROBES is the table, one row a key of a probe; a new type is a file and a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.kubelet.probes.command import exec_probe
from node.kubelet.probes.grpc import grpc_probe
from node.kubelet.probes.http import http_probe
from node.kubelet.probes.tcp import tcp_probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from node.kubelet.probes.base import Probe

PROBES: Mapping[str, Probe] = {
    "exec": exec_probe,
    "httpGet": http_probe,
    "tcpSocket": tcp_probe,
    "grpc": grpc_probe,
}
