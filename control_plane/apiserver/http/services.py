"""What handlers work with, in one place."""

from dataclasses import dataclass

from control_plane.apiserver.aggregation.parts import AggregationParts
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.auth.token_sources import TokenSources
from control_plane.apiserver.auth.tokens import TokenSigner
from control_plane.apiserver.component_health import ComponentHealth
from control_plane.apiserver.config import ApiServerConfig
from control_plane.apiserver.kubelet import KubeletClient
from control_plane.apiserver.registry.reading import Reader
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.collections import Collections


@dataclass(frozen=True, slots=True)
class ApiServices:
    """Reading, writing, tokens and kubelets."""

    config: ApiServerConfig
    collections: Collections
    reader: Reader
    registry: Registry
    signer: TokenSigner
    tokens: TokenSources
    kubelets: KubeletClient
    components: ComponentHealth
    authorizer: Authorizer
    aggregation: AggregationParts
