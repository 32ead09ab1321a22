"""resourceVersion as clients write it, read as the store's revision. Pure.

Source of the texts: what Go's strconv says, which Kubernetes passes on.
"""

_LIMIT = 1 << 63


def parse_revision(text: str) -> int:
    """The revision that `text` names; raises ValueError with what the API answers.

    Only digits will do, and no more than fit the store's signed 64 bits.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    significant = text.lstrip("0") or "0"
    if len(significant) > len(str(_LIMIT)) or int(significant) >= _LIMIT:
        raise ValueError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(significant)
