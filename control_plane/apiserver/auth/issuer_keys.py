"""The public keys of service-account tokens, for others who check them (OpenID discovery)."""

import json
from typing import Any

from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from control_plane.api.token_keys import PublicKey, algorithm_of, key_id
from control_plane.apiserver.auth.tokens import load_public_key
from control_plane.apiserver.config import ServiceAccountKeys
from control_plane.apiserver.http.answer import Answer, Reply, json_answer
from control_plane.apiserver.http.request import Request

_CACHED = ((b"cache-control", b"public, max-age=3600"),)


class IssuerKeys:
    """Serves the issuer's configuration and its key set."""

    def __init__(self, keys: ServiceAccountKeys, address: str) -> None:
        """Load the keys once; raises ConfigError."""
        self._public_keys = [load_public_key(path) for path in keys.public_keys]
        algorithms = sorted({algorithm_of(key) for key in self._public_keys})
        self._configuration = {
            "issuer": keys.issuer,
            "jwks_uri": keys.jwks_uri or f"https://{address}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": algorithms,
        }

    async def configuration(self, request: Request) -> Reply:
        """GET /.well-known/openid-configuration."""
        answer = json_answer(self._configuration, request)
        return Answer(200, answer.body, "application/json", _CACHED)

    async def key_set(self, request: Request) -> Reply:
        """GET /openid/v1/jwks."""
        answer = json_answer({"keys": [_jwk(key) for key in self._public_keys]}, request)
        return Answer(200, answer.body, "application/jwk-set+json", _CACHED)


def _jwk(key: PublicKey) -> dict[str, Any]:
    algorithm = algorithm_of(key)
    converter: Any = RSAAlgorithm if algorithm.startswith("RS") else ECAlgorithm
    jwk: dict[str, Any] = json.loads(converter.to_jwk(key))
    jwk.pop("key_ops", None)
    return {"use": "sig", **jwk, "kid": key_id(key), "alg": algorithm}
