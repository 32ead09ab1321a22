"""Answers of webhooks at random, of admission's and of conversion's.

A server may refuse what it is asked then, with 500 too, but it must say so and go on.
"""

import base64
import json
import logging
import random
from collections import Counter
from pathlib import Path
from typing import Any

import requests

from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.custom_stage import Custom, definition, established, version
from tests.control_plane.apiserver.webhook_peer import Answering, RawAnswer, WebhookPeer
from tests.control_plane.apiserver.webhook_stage import MUTATING, VALIDATING, WebhookStage
from tests.fuzz.values import Values
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

Object = dict[str, Any]
NAMESPACE = "answers"
EDGE = "control_plane.apiserver.http.edge"  # where bugs are logged
CODES = (*(200,) * 12, 0, 204, 301, 404, 500)
OPS = ("add", "add", "add", "replace", "remove", "test", "copy", "move", "bogus")
PATHS = (
    "/metadata/labels", "/metadata/labels/a", "/metadata/name", "/metadata", "/data", "/data/k",
    "/data/-", "/spec", "/kind", "/apiVersion", "", "/", "data", "/metadata/finalizers/0", "/a~2",
)  # fmt: skip
NOTES: Object = {"auditAnnotations": {"a": "b"}, "warnings": ["w", "é" * 300]}
STATUSES: tuple[Object, ...] = (
    {}, {"code": 403, "message": "no"}, {"code": 99}, {"code": 200}, {"reason": "Conflict"},
)  # fmt: skip


class AnswerFuzzer:
    """`faults` are requests that a bug has answered, or nobody; `codes` counts the answers."""

    def __init__(self, server: ThreadedApiServer, directory: Path, seed: int) -> None:
        self.codes: Counter[int] = Counter()
        self.faults: list[str] = []
        self._server, self._directory = server, directory
        self._random, self._values = random.Random(seed), Values(seed)
        self._bugs = _Bugs(self.faults)

    def run(self, rounds: int) -> None:
        """Ask so often of each kind of webhook."""
        logger = logging.getLogger(EDGE)
        logger.addHandler(self._bugs)
        try:
            with (
                raw_api(self._server) as api,
                WebhookPeer(self._directory / "answers") as peer,
            ):
                for path, body in (
                    ("/api/v1/namespaces", NAMESPACE),
                    (f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", "default"),
                ):
                    api.post(path, {"metadata": {"name": body}})
                self._admission(api, peer, rounds)
                self._conversion(api, peer, rounds)
                if api.get("/readyz").code != 200:
                    self.faults.append("the server is not ready any more")
        finally:
            logger.removeHandler(self._bugs)

    def _admission(self, api: RawApi, peer: WebhookPeer, rounds: int) -> None:
        stage = WebhookStage(api, peer, NAMESPACE)
        peer.answers |= {"/mutating": self._reviewed(), "/validating": self._reviewed()}
        path = f"{stage.path}/configmaps"
        for kind, at, policy in (
            (MUTATING, "/mutating", "Fail"),
            (MUTATING, "/mutating", "Ignore"),
            (VALIDATING, "/validating", "Fail"),
            (VALIDATING, "/validating", "Ignore"),
        ):
            hook = stage.webhook(at, failurePolicy=policy, timeoutSeconds=5)
            with stage.configured(kind, hook):
                for number in range(rounds // 4):
                    body = {"metadata": {"name": f"m{number}"}, "data": {"k": "v"}}
                    self._ask(api, "POST", path, body)
                    self._ask(api, "PUT", f"{path}/m{number}", {**body, "data": {"k": "w"}})
            self._ask(api, "DELETE", path)

    def _reviewed(self) -> Answering:
        def answer(review: Object) -> RawAnswer:
            operations = [self._operation() for _ in range(self._random.choice((0, 1, 1, 2)))]
            patch = base64.b64encode(self._values.written(operations)).decode()
            response = {
                "uid": review["request"]["uid"],
                "allowed": self._random.random() < 0.8,
                "status": self._random.choice(STATUSES),
                **NOTES,
            }
            if operations:
                response |= {"patchType": "JSONPatch", "patch": patch}
            return self._sent({**review, "request": None, "response": response})

        return answer

    def _operation(self) -> Object:
        choice = self._random.choice
        value = choice(({}, {"a": "b"}, "text", self._values.junk()))
        return {"op": choice(OPS), "path": choice(PATHS), "from": choice(PATHS), "value": value}

    def _conversion(self, api: RawApi, peer: WebhookPeer, rounds: int) -> None:
        webhook = {"clientConfig": peer.client("/convert"), "conversionReviewVersions": ["v1"]}
        conversion = {"strategy": "Webhook", "webhook": webhook}
        versions = (version("v1"), version("v2", storage=False))
        peer.answers["/convert"] = lambda review: _answer(_converted(review))
        wanted = definition(*versions, plural="converted", conversion=conversion)
        with established(api, NAMESPACE, wanted) as custom:
            for name in ("a", "b", "c"):
                api.post(custom.path(), custom.obj(name, spec={"x": 1}))
            peer.answers["/convert"] = lambda review: self._sent(_converted(review))
            for number in range(rounds // 4):
                self._convert(api, custom, number)
            peer.answers["/convert"] = lambda review: _answer(_converted(review))

    def _convert(self, api: RawApi, custom: Custom, number: int) -> None:
        self._ask(api, "GET", custom.path("a", "v2"))
        self._ask(api, "GET", custom.path(version="v2"))
        changed = custom.obj("b", "v2", spec={"x": number})
        self._ask(api, "PUT", custom.path("b", "v2"), changed)
        self._ask(api, "PATCH", custom.path("c", "v2"), {"spec": {"y": number}})

    def _sent(self, answer: Object) -> RawAnswer:
        spoilt = self._values.spoilt(answer, self._random.choice((0, 0, 0, 1, 2)))
        lacking = self._random.choice((0,) * 20 + (7,))
        return RawAnswer(self._random.choice(CODES), self._values.written(spoilt), lacking)

    def _ask(self, api: RawApi, method: str, path: str, body: Object | None = None) -> None:
        self._bugs.about = f"{method} {path}"
        content_type = "merge-patch+json" if method == "PATCH" else "json"
        headers = {"Content-Type": f"application/{content_type}"}
        try:
            answer = api.request(method, path, body, headers)
        except requests.RequestException as error:
            self.faults.append(f"{method} {path}: {type(error).__name__}")
            return
        self.codes[answer.code] += 1
        if answer.code >= 500 and answer.json.get("reason") != "InternalError":
            self.faults.append(f"{method} {path}: {answer.code} {answer.text[:500]}")


class _Bugs(logging.Handler):
    """Takes down what the server logs as bugs of its own."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.about = ""
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._faults.append(f"{self.about}: {self.format(record)}")


def _converted(review: Object) -> Object:
    request = review["request"]
    made = [{**obj, "apiVersion": request["desiredAPIVersion"]} for obj in request["objects"]]
    response = {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": made}
    return {"kind": "ConversionReview", "apiVersion": review["apiVersion"], "response": response}


def _answer(document: Object) -> RawAnswer:
    return RawAnswer(200, json.dumps(document).encode())
