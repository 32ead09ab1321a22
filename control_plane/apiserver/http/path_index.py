"""GET /: the paths under which something is served, which `kubectl get --raw /` shows. Pure."""

from collections.abc import Iterable

from control_plane.api.resources import Resource
from control_plane.apiserver.http.health import Health


def path_index(
    routes: Iterable[str],
    rows: Iterable[Resource],
    remotes: Iterable[str],
    health: Iterable[Health],
) -> list[str]:
    """Return the paths in order: of `routes` those without parameters, groups and their versions,
    also of the other servers (`remotes`, as "/apis/GROUP/VERSION"), and each check of health.
    """
    fixed = {path for path in routes if "{" not in path and path.rstrip("/") == path}
    versions = {*(row.root_path for row in rows), *remotes}
    groups = {path.rpartition("/")[0] for path in versions}
    checks = {f"/{one.endpoint}/{name}" for one in health for name in one.checks}
    return sorted({*fixed, "/apis/", *versions, *groups, *checks})
