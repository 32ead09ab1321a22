"""Query parameters, read the way Kubernetes' own decoder reads them."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from control_plane.api.errors import BadRequest

_INT64 = 1 << 63
MAX_PARAMETERS = 10_000
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)


class Query:
    """The parameters of one request; a name may come more than once."""

    def __init__(self, query_string: bytes) -> None:
        """Decode `a=1&a=2&b=`; `objection` says why a query is to be refused, "" when it is not.

        No more than MAX_PARAMETERS are read.
        """
        self._values: dict[str, list[str]] = {}
        self.objection = ""
        if query_string:
            self._read(query_string)

    def _read(self, query_string: bytes) -> None:
        text = query_string.decode("latin-1")
        parts = text.split("&", MAX_PARAMETERS)
        self.objection = objection_to_escapes(text)
        if len(parts) > MAX_PARAMETERS:
            self.objection = f"the query has more than {MAX_PARAMETERS} parameters"
        for name, value in parse_qsl("&".join(parts[:MAX_PARAMETERS]), keep_blank_values=True):
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        """The first value, or ""."""
        return self._values.get(name, [""])[0]

    def texts(self, name: str) -> list[str]:
        """Every value in order."""
        return self._values.get(name, [])

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def items(self) -> Mapping[str, list[str]]:
        """All parameters."""
        return self._values

    def flag(self, name: str) -> bool:
        """True for anything but absence, "", "0" and "false"."""
        return bool(self.optional_flag(name))

    def optional_flag(self, name: str) -> bool | None:
        """Like `flag`, and None for absence."""
        if name not in self._values:
            return None
        return self.text(name).lower() not in ("", "0", "false")

    def number(self, name: str) -> int | None:
        """A whole number, None when absent or empty; BadRequest for anything else."""
        text = self.text(name)
        if not text:
            return None
        digits = text.removeprefix("-").removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
        number = int(text) if len(digits) < 20 else _INT64
        if not -_INT64 <= number < _INT64:
            raise BadRequest(f'strconv.ParseInt: parsing "{text}": value out of range')
        return number


NO_QUERY = Query(b"")  # of nearly all requests


def objection_to_escapes(text: str) -> str:
    """Say what is wrong with the percent-encoding of a path or query, "" when nothing is."""
    found = _BAD_ESCAPE.search(text) if "%" in text else None
    return f'invalid URL escape "{found[0]}"' if found else ""
