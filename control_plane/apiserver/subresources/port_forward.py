"""pods/portforward: connections to a pod's ports, between the client and the pod's kubelet.

Three protocols are passed on: SPDY/3.1; SPDY/3.1 within WebSocket messages; and WebSocket channels,
two for each port that the query names.
"""

from urllib.parse import urlencode

from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.subresources.connecting import admit_connection
from control_plane.apiserver.subresources.upgrade_relay import (
    authorize_stream,
    relayed_to_kubelet,
)


async def connect(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET or POST with an upgrade."""
    authorize_stream(services, request, target)
    await admit_connection(services, request, target)
    pod = await services.kubelets.pod(target.namespace, target.name)
    base = await services.kubelets.base_url(pod)
    url = f"{base}/portForward/{target.namespace}/{target.name}"
    ports = ",".join(request.query.texts("ports"))
    if ports:
        url += f"?{urlencode({'port': ports})}"
    return await relayed_to_kubelet(services, request, url)
