"""Formats of names, keys and addresses: each function returns upstream's messages, none for a good
text.

Those that names.py has are gathered here under short names, so that a check imports one module.
Called by the other files of this package. Pure. Source: v1.35 apimachinery validation.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

from control_plane.api.integers import int64
from control_plane.api.names import (
    config_key_errors as config_key,
)
from control_plane.api.names import (
    dns1035_label_errors as dns1035_label,
)
from control_plane.api.names import (
    dns1123_label_errors as dns1123_label,
)
from control_plane.api.names import (
    dns1123_subdomain_errors as dns1123_subdomain,
)
from control_plane.api.names import (
    label_value_errors as label_value,
)
from control_plane.api.names import (
    path_segment_errors as path_segment,
)
from control_plane.api.names import (
    port_name_errors as port_name,
)
from control_plane.api.names import (
    qualified_name_errors as qualified_name,
)
from control_plane.api.names import (
    regex_message,
)

__all__ = [
    "c_identifier",
    "cidr",
    "config_key",
    "dns1035_label",
    "dns1123_label",
    "dns1123_subdomain",
    "dns1123_subdomain_with_underscore",
    "domain_prefixed_path",
    "endpoint_ip",
    "env_var_name",
    "http_header_name",
    "in_range",
    "ip_address",
    "label_value",
    "parsed_ip",
    "path_segment",
    "percent",
    "port",
    "port_name",
    "port_number",
    "qualified_name",
    "signer_name", "user_id", "wildcard_subdomain",
]  # fmt: skip

MAX_SIGNER: Final = 571
_RELAXED_PART: Final = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_UNDERSCORE: Final = rf"_?{_RELAXED_PART}(\._?{_RELAXED_PART})*"
_PART: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_WILDCARD: Final = rf"\*\.{_PART}(\.{_PART})*"
_DOMAIN_PATH: Final = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_HEADER: Final = "[-A-Za-z0-9]+"
_C_IDENTIFIER: Final = "[A-Za-z_][A-Za-z0-9_]*"
_PERCENT: Final = "[0-9]+%"


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, re.ASCII) is not None


def in_range(low: int, high: int) -> str:
    """Return the message for a number outside [low, high]."""
    return f"must be between {low} and {high}, inclusive"


def dns1123_subdomain_with_underscore(text: str) -> list[str]:
    """Check a DNS search path: a subdomain whose labels may hold underscores."""
    message = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
        "'_', '-' or '.', and must start and end with an alphanumeric character"
    )
    return _subdomain(text, _SUBDOMAIN_UNDERSCORE, message, "example.com")


def _subdomain(text: str, pattern: str, message: str, example: str) -> list[str]:
    errors = ["must be no more than 253 characters"] if len(text) > 253 else []
    if not _matches(pattern, text):
        errors.append(regex_message(message, pattern, example))
    return errors


def domain_prefixed_path(text: str) -> list[str]:
    """Check a path below a domain: "example.com/controller"."""
    domain, slash, path = text.partition("/")
    if not slash or not domain or not path:
        return ['must be a domain-prefixed path (such as "acme.io/foo")']
    errors = dns1123_subdomain(domain)
    if not _matches(_DOMAIN_PATH, path):
        errors.append(regex_message("Invalid path", _DOMAIN_PATH))
    return errors


def wildcard_subdomain(text: str) -> list[str]:
    """Check all hosts of a domain: "*.example.com"."""
    message = (
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
        "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and "
        "end with an alphanumeric character"
    )
    return _subdomain(text, _WILDCARD, message, "*.example.com")


def signer_name(text: str) -> list[str]:
    """Check who signs certificates: a domain of two labels or more, and a path below it."""
    domain, _, path = text.partition("/")
    if not domain or not path or len(text) > MAX_SIGNER:
        return ["must be a fully qualified domain and path of the form 'example.com/signer-name'"]
    labels = domain.split(".")
    if len(labels) < 2:
        return ["should be a domain with at least two segments separated by dots"]
    named = [(label, message) for label in labels for message in dns1123_label(label)]
    errors = [f'validating label "{label}": {message}' for label, message in named]
    return errors + dns1123_subdomain(path) if dns1123_subdomain(path) else errors


def env_var_name(text: str) -> list[str]:
    """Check the name of an environment variable: printable ASCII without "="."""
    if not text:
        return ["environment variable name must be non-empty"]
    if all(" " <= c <= "~" and c != "=" for c in text):
        return []
    return [
        "a valid environment variable name must consist only of printable ASCII characters other "
        "than '='"
    ]


def port_number(number: Any) -> list[str]:
    """Check a port number: 1 to 65535."""
    return [] if isinstance(number, int) and 1 <= number <= 65535 else [in_range(1, 65535)]


def port(value: Any) -> list[str]:
    """Check a port given by number or by name."""
    return port_name(value) if isinstance(value, str) else port_number(value)


def c_identifier(text: str) -> list[str]:
    """Check a name as the language C has them."""
    if _matches(_C_IDENTIFIER, text):
        return []
    message = (
        "a valid C identifier must start with alphabetic character or '_', followed by a string of "
        "alphanumeric characters or '_'"
    )
    return [regex_message(message, _C_IDENTIFIER, "my_name", "MY_NAME", "MyName")]


def percent(text: str) -> list[str]:
    """Check a percentage: digits and a percent sign."""
    if _matches(_PERCENT, text):
        return []
    message = "a valid percent string must be a numeric string followed by an ending '%'"
    return [regex_message(message, _PERCENT, "1%", "93%")]


def http_header_name(text: str) -> list[str]:
    """Check the name of an HTTP header."""
    if _matches(_HEADER, text):
        return []
    message = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [regex_message(message, _HEADER, "X-Header-Name")]


def user_id(number: int) -> list[str]:
    """Check a numeric user or group id."""
    return [] if 0 <= number <= 2**31 - 1 else [in_range(0, 2**31 - 1)]


def ip_address(text: str) -> list[str]:
    """Check an IP address as the older fields read it: leading zeros are tolerated."""
    if parsed_ip(text) is None:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return []


def parsed_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address `text` stands for, read loosely (010 is 10), or None."""
    try:
        parts = text.split(".")
        plain = all(part.isascii() and part.isdigit() for part in parts)
        loose = ".".join(str(int(part)) for part in parts) if len(parts) == 4 and plain else text
        return ipaddress.ip_address(loose) if "%" not in text else None
    except ValueError:
        return None


def cidr(text: str) -> list[str]:
    """Check an address range such as 10.9.8.0/24; bits beyond the prefix are tolerated."""
    address, slash, length = text.partition("/")
    parsed = parsed_ip(address)
    bits = 32 if parsed is not None and parsed.version == 4 else 128
    size = int64(length) if slash and length.isdigit() else None
    if parsed is not None and size is not None and size <= bits:
        return []
    return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]


def endpoint_ip(text: str) -> list[str]:
    """Check that traffic may be sent to an address from elsewhere; a text that is no address
    passes.
    """
    address = parsed_ip(text)
    if address is None:
        return []
    errors = []
    if address.is_unspecified:
        errors.append(f"may not be unspecified ({text})")
    if address.is_loopback:
        errors.append("may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        errors.append("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if _is_link_local_multicast(address):
        errors.append("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
    return errors


def _is_link_local_multicast(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if address.version == 4:
        return address in ipaddress.ip_network("224.0.0.0/24")
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02
