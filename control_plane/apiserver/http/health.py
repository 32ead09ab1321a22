"""/livez, /readyz and /healthz: named checks, one line each.

readyz is 200 only while the datastore answers, and recovers by itself. Source: the health endpoints
of Kubernetes v1.35.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from control_plane.apiserver.http.answer import Reply, text_answer
from control_plane.apiserver.http.request import Request


class Result(NamedTuple):
    """How a check has ended until now, and whether it failed the last time."""

    succeeded: int
    failed: int
    has_failed: bool


# A check returns "" when all is well, else what is wrong.
Check = Callable[[], Awaitable[str]]


class Health:
    """Serves one of the endpoints, such as "readyz", with its checks in order."""

    def __init__(self, endpoint: str, checks: Mapping[str, Check]) -> None:
        """`checks` by name."""
        self.endpoint = endpoint
        self.checks = checks
        self.results: dict[str, Result] = {}

    async def all_checks(self, request: Request) -> Reply:
        """GET /readyz: "ok", or every check's result."""
        excluded = set(request.query.texts("exclude"))
        lines, is_well = [], True
        for name, check in self.checks.items():
            if name in excluded:
                lines.append(f"[+]{name} excluded: ok")
            elif await self._problem(name, check):
                lines.append(f"[-]{name} failed: reason withheld")
                is_well = False
            else:
                lines.append(f"[+]{name} ok")
        unknown = sorted(excluded - self.checks.keys())
        if unknown:
            names = ",".join(f'"{name}"' for name in unknown)
            lines.append(f"warn: some health checks cannot be excluded: no matches for {names}")
        if is_well and "verbose" not in request.query:
            return text_answer("ok")
        lines.append(f"{self.endpoint} check {'passed' if is_well else 'failed'}")
        return text_answer("\n".join(lines) + "\n", 200 if is_well else 500)

    async def one_check(self, request: Request) -> Reply:
        """GET /readyz/NAME: "ok", or what is wrong."""
        name = request.path.removeprefix(f"/{self.endpoint}/")
        check = self.checks.get(name)
        if check is None:
            return text_answer("404 page not found\n", 404)
        problem = await self._problem(name, check)
        if problem:
            return text_answer(f"internal server error: {problem}\n", 500)
        return text_answer("ok")

    async def _problem(self, name: str, check: Check) -> str:
        """Ask a check, and remember what it said."""
        problem = await check()
        known = self.results.get(name, Result(0, 0, has_failed=False))
        self.results[name] = Result(
            known.succeeded + (not problem), known.failed + bool(problem), bool(problem)
        )
        return problem
