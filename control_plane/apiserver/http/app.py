"""The ASGI application: resources, and a FastAPI of raw routes for all else that is served."""

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route

from control_plane.api.openapi.documents import OpenApiDocuments
from control_plane.api.schema import VERSION as SCHEMA_VERSION
from control_plane.apiserver.aggregation.gateway import Aggregated
from control_plane.apiserver.aggregation.joined import JoinedDocuments
from control_plane.apiserver.auth.issuer_keys import IssuerKeys
from control_plane.apiserver.http.answer import Reply, json_answer, text_answer
from control_plane.apiserver.http.discovery import Discovery, version
from control_plane.apiserver.http.edge import Edge, Handler
from control_plane.apiserver.http.health import Health
from control_plane.apiserver.http.openapi_routes import OpenApi
from control_plane.apiserver.http.path_index import path_index
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.resource_api import ResourceApi, ResourcesFirst
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.metrics.endpoint import MetricsEndpoint


def make_app(
    services: ApiServices,
    edge: Edge,
    health: tuple[Health, ...],
    metrics: MetricsEndpoint,
    address: str,
    unlisted: Mapping[str, Handler],
) -> ResourcesFirst:
    """The ASGI application; `address` is "host:port" as others reach this server.

    `unlisted` are further paths, which the index does not name.
    """
    collections = services.collections
    discovery = Discovery(lambda: collections.resources, address)
    openapi = OpenApi(
        OpenApiDocuments(collections.resources, SCHEMA_VERSION), lambda: collections.resources
    )
    aggregated = Aggregated(edge, services.aggregation, services.kubelets)
    joined = JoinedDocuments(
        discovery, openapi, services.aggregation.documents, aggregated.passed_on
    )
    keys = IssuerKeys(services.config.service_accounts, address)
    paths: dict[str, Handler] = {
        "/version": version,
        "/version/": version,
        "/api": discovery.core,
        "/api/": discovery.core,
        "/apis": joined.groups,
        "/apis/": joined.groups,
        "/openapi/v2": joined.openapi_v2,
        "/openapi/v3": joined.openapi_index,
        "/openapi/v3/{path:path}": joined.openapi,
        "/.well-known/openid-configuration": keys.configuration,
        "/.well-known/openid-configuration/": keys.configuration,
        "/openid/v1/jwks": keys.key_set,
        "/openid/v1/jwks/": keys.key_set,
    }
    for one in health:
        paths[f"/{one.endpoint}"] = one.all_checks
        paths[f"/{one.endpoint}/{{name:path}}"] = one.one_check
    paths |= {"/metrics": metrics.get, "/metrics/slis": metrics.health}
    for end in ("", "/"):  # generated clients ask with a slash at the end
        paths |= {
            f"/api/{{version}}{end}": discovery.group_or_version,
            f"/apis/{{group}}{end}": joined.group_or_version,
            f"/apis/{{group}}/{{version}}{end}": discovery.group_or_version,
        }

    async def index(request: Request) -> Reply:
        remotes = services.aggregation.documents.remotes.by_path
        roots = path_index(paths, collections.resources.rows, remotes, health)
        return json_answer({"paths": roots}, request)

    served = {**paths, **unlisted}
    routes: list[BaseRoute] = [
        Route(path, edge.route(handler, _label(path))) for path, handler in served.items()
    ]
    routes += [Route("/", edge.route(index, "/")), Route("/{path:path}", edge.route(_nothing))]
    others = FastAPI(routes=routes, openapi_url=None, docs_url=None, redoc_url=None)
    others.router.default = edge.route(_nothing)
    return ResourcesFirst(ResourceApi(edge, services), others, aggregated)


def _label(path: str) -> str:
    """What a path is counted under: what it has before its first parameter."""
    return path.partition("/{")[0].rstrip("/")


async def _nothing(_request: Request) -> Reply:
    return text_answer("404 page not found\n", 404)
