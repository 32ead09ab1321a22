"""The parts of aggregation, put together."""

from dataclasses import dataclass
from typing import Self

from control_plane.apiserver.aggregation.availability import AvailabilityChecker
from control_plane.apiserver.aggregation.documents import RemoteDocuments
from control_plane.apiserver.aggregation.remote import RemoteApis
from control_plane.apiserver.aggregation.session import RemoteSession
from control_plane.apiserver.config import ApiServerConfig
from control_plane.apiserver.service_endpoints import ServiceEndpoints
from control_plane.apiserver.storage.collections import Collections


@dataclass(frozen=True, slots=True)
class AggregationParts:
    """Who is there, how they are reached, whether they answer, and what they say of themselves."""

    remotes: RemoteApis
    endpoints: ServiceEndpoints
    session: RemoteSession
    checker: AvailabilityChecker
    documents: RemoteDocuments

    @classmethod
    def of(cls, config: ApiServerConfig, collections: Collections) -> Self:
        """The parts for a server."""
        certificate, key = config.tls.proxy_client_certificate, config.tls.proxy_client_key
        pair = (certificate, key) if certificate is not None and key is not None else None
        remotes = RemoteApis(collections, pair)
        endpoints = ServiceEndpoints(collections)
        session = RemoteSession(endpoints)
        checker = AvailabilityChecker(collections, endpoints, session)
        return cls(remotes, endpoints, session, checker, RemoteDocuments(remotes, session))
