"""Tokens of service accounts, spoilt: in their letters, and signed with the right key but wrong.

None of them is good. Which ones come is a seed's to say.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Object = dict[str, Any]
# values that no claim has
_JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 2**70, 1e300, "", "x", "\u0000", "🙂", "x" * 10_000, [], [[]], {},
    {"name": 7}, [None], "system:serviceaccount:::", "kubernetes/serviceaccount",
)  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
_OTHERS = "!.=+/ \t~%"


class SpoiltTokens:
    """Made of a `good` token, and of the key that has signed it."""

    def __init__(self, good: str, key: Any, public_pem: bytes, seed: int) -> None:
        self._random = random.Random(seed)
        self._good, self._key, self._public_pem = good, key, public_pem
        self._header: Object = jwt.get_unverified_header(good)
        self._claims: Object = jwt.decode(good, options={"verify_signature": False})
        self._ways: Sequence[Callable[[], str]] = (
            self._changed,
            self._changed,
            self._cut,
            self._with_others,
            self._parts_mixed,
            self._wrong_claims,
            self._wrong_claims,
            self._wrong_private,
            self._wrong_header,
            self._other_algorithm,
            self._nested,
            self._noise,
        )

    def next(self) -> str:
        """The next one."""
        while (spoilt := self._random.choice(self._ways)()) == self._good:
            pass
        return spoilt

    def _changed(self) -> str:
        """Another letter anywhere but in the last place, of which not every bit counts."""
        letters = list(self._good)
        for _ in range(self._random.randint(1, 3)):
            letters[self._random.randrange(len(letters) - 1)] = self._random.choice(_LETTERS)
        return "".join(letters)

    def _cut(self) -> str:
        return self._good[: self._random.randrange(1, len(self._good) - 1)]

    def _with_others(self) -> str:
        """A letter more that no token has."""
        at = self._random.randrange(1, len(self._good))
        return self._good[:at] + self._random.choice(_OTHERS) + self._good[at:]

    def _parts_mixed(self) -> str:
        parts = self._good.split(".")
        return ".".join(self._random.choice(parts) for _ in range(self._random.randint(1, 5)))

    def _wrong_claims(self) -> str:
        claims = dict(self._claims)
        name = self._random.choice(["iss", "sub", "aud", "exp", "kubernetes.io"])
        if self._random.random() < 0.3:
            del claims[name]
        else:
            claims[name] = self._other_than(claims[name])
        if name == "exp" and isinstance(claims.get(name), int | float):
            claims[name] = -abs(claims[name])  # one that ends later would be good
        return self._signed(json.dumps(claims).encode())

    def _wrong_private(self) -> str:
        private = dict(self._claims["kubernetes.io"])
        name = self._random.choice(["namespace", "serviceaccount", "pod", "secret", "node"])
        private[name] = self._other_than(private.get(name, {"name": "x", "uid": "y"}))
        if name in ("pod", "secret", "node") and private[name] in (None, {}, []):
            private[name] = {"name": "none", "uid": "none"}
        return self._signed(json.dumps({**self._claims, "kubernetes.io": private}).encode())

    def _wrong_header(self) -> str:
        """A header that says another algorithm, or something that nobody here understands."""
        added: Object = self._random.choice(
            [{"alg": one} for one in ("none", "HS256", "ES256", "PS256", "", 7)]
            + [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}]
        )
        return self._with_header({**self._header, **added})

    def _other_algorithm(self) -> str:
        """Signed with what everybody knows, or not at all."""
        header = {**self._header, "alg": self._random.choice(["none", "None", "nOnE"])}
        if self._random.random() < 0.5:
            return f"{_encoded(header)}.{self._good.split('.')[1]}."
        said = f"{_encoded({**self._header, 'alg': 'HS256'})}.{self._good.split('.')[1]}"
        signature = hmac.digest(self._public_pem, said.encode(), "sha256")
        return f"{said}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def _nested(self) -> str:
        depth = self._random.choice([100, 5_000])
        opened, closed = self._random.choice([(b"[", b"]"), (b'{"a":', b"}")])
        middle = b"1" if opened != b"[" else b""
        return self._signed(opened * depth + middle + closed * depth)

    def _noise(self) -> str:
        length = self._random.choice([1, 7, 100, 8_000])
        return "".join(self._random.choice(_LETTERS + "..") for _ in range(length))

    def _other_than(self, value: Any) -> Any:
        return self._random.choice([one for one in _JUNK if one != value])

    def _signed(self, payload: bytes) -> str:
        algorithm, kid = self._header["alg"], self._header["kid"]
        return jwt.api_jws.encode(payload, self._key, algorithm=algorithm, headers={"kid": kid})

    def _with_header(self, header: Object) -> str:
        _, payload, signature = self._good.split(".")
        return f"{_encoded(header)}.{payload}.{signature}"


def _encoded(header: Object) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
