"""Warning headers: each text whole, or cut once all of them together are too long. Pure.

Source: the warning recorder of Kubernetes v1.35.
"""

import unicodedata
from collections.abc import Iterable

MAX_CHARACTERS = 4096  # of all texts, before they are cut
CUT_CHARACTERS = 256


def warning_values(texts: Iterable[str]) -> list[bytes]:
    """The values of the Warning headers for these texts; those with control characters have none.

    From the first text that is too much all are cut, those before it too, and no more are added
    once as many characters have been written.
    """
    values: list[bytes] = []
    seen: list[str] = []
    written, is_cutting = 0, False
    for text in texts:
        if is_cutting and written >= MAX_CHARACTERS:
            break
        if _is_silent(text):
            continue
        seen.append(text)
        shown = text[:CUT_CHARACTERS] if is_cutting else text
        if written + len(shown) > MAX_CHARACTERS and not is_cutting:
            is_cutting = True
            values = [_header(each[:CUT_CHARACTERS]) for each in seen]
            written = sum(len(each[:CUT_CHARACTERS]) for each in seen)
            continue
        values.append(_header(shown))
        written += len(shown)
    return values


def _is_silent(text: str) -> bool:
    return not text or any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _header(text: str) -> bytes:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'.encode()
