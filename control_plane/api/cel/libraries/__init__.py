"""Libraries of functions: LIBRARIES lists them; one is a file and a line here."""

from __future__ import annotations

from typing import Final

from control_plane.api.cel.libraries import (
    addresses,
    authorization,
    conversions,
    formats,
    lists,
    moments,
    optionals,
    quantities,
    regex,
    sets,
    standard,
    strings,
    urls,
    versions,
)
from control_plane.api.cel.operators import DECLARATIONS

LIBRARIES: Final = (
    DECLARATIONS,
    standard.LIBRARY,
    conversions.LIBRARY,
    moments.LIBRARY,
    optionals.LIBRARY,
    strings.LIBRARY,
    lists.LIBRARY,
    regex.LIBRARY,
    sets.LIBRARY,
    urls.LIBRARY,
    addresses.LIBRARY,
    quantities.LIBRARY,
    versions.LIBRARY,
    formats.LIBRARY,
    authorization.LIBRARY,
)
