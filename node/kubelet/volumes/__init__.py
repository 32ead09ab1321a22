"""Volume types: VOLUMES is the table, one row a key of a pod's spec.volumes entry.

To add a type, write its file and add its row; a type that is not in the table is refused by name
in a FailedMount event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.kubelet.volumes.base import VolumeType
from node.kubelet.volumes.downward_api import downward_payload
from node.kubelet.volumes.empty_dir import prepare_empty_dir
from node.kubelet.volumes.host_path import prepare_host_path
from node.kubelet.volumes.keyed import config_map_payload, secret_payload
from node.kubelet.volumes.projected import projected_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

VOLUMES: Mapping[str, VolumeType] = {
    "configMap": VolumeType("configmap", payload=config_map_payload, read_only=True),
    "secret": VolumeType("secret", payload=secret_payload, read_only=True),
    "downwardAPI": VolumeType("downward-api", payload=downward_payload, read_only=True),
    "projected": VolumeType("projected", payload=projected_payload, read_only=True),
    "emptyDir": VolumeType("empty-dir", prepare=prepare_empty_dir),
    "hostPath": VolumeType("host-path", prepare=prepare_host_path),
}
