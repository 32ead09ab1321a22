"""Links in a page that passes by, rewritten in its start tags. Pure.

Only tags are looked at, and of them only attributes that hold a URL; scripts, styles and comments
pass as they are. A tag that does not end within MAX_TAG_BYTES passes as it is, too.
"""

import html
import re
from collections.abc import Callable, Mapping

MAX_TAG_BYTES = 65_536

_URL_ATTRIBUTES: Mapping[bytes, frozenset[bytes]] = {
    b"a": frozenset({b"href"}),
    b"applet": frozenset({b"codebase"}),
    b"area": frozenset({b"href"}),
    b"audio": frozenset({b"src"}),
    b"base": frozenset({b"href"}),
    b"blockquote": frozenset({b"cite"}),
    b"body": frozenset({b"background"}),
    b"button": frozenset({b"formaction"}),
    b"command": frozenset({b"icon"}),
    b"del": frozenset({b"cite"}),
    b"embed": frozenset({b"src"}),
    b"form": frozenset({b"action"}),
    b"frame": frozenset({b"longdesc", b"src"}),
    b"head": frozenset({b"profile"}),
    b"html": frozenset({b"manifest"}),
    b"iframe": frozenset({b"longdesc", b"src"}),
    b"img": frozenset({b"longdesc", b"src", b"usemap"}),
    b"input": frozenset({b"formaction", b"src", b"usemap"}),
    b"ins": frozenset({b"cite"}),
    b"link": frozenset({b"href"}),
    b"object": frozenset({b"classid", b"codebase", b"data", b"usemap"}),
    b"q": frozenset({b"cite"}),
    b"script": frozenset({b"src"}),
    b"source": frozenset({b"src"}),
    b"track": frozenset({b"src"}),
    b"video": frozenset({b"poster", b"src"}),
}
_RAW_TEXT = frozenset({b"script", b"style", b"textarea", b"title"})
_TAG_NAME = re.compile(rb"<([a-zA-Z][a-zA-Z0-9]*)")
_END_OR_QUOTE = re.compile(rb"""(>)|=\s*(["'])""")
_ATTRIBUTE = re.compile(rb"""(\s)([a-zA-Z-]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""")

Rewrite = Callable[[str], str]


class LinkRewriter:
    """Feed it a page in pieces; `rewrite` is given each URL and returns what takes its place."""

    def __init__(self, rewrite: Rewrite) -> None:
        """Begin a page."""
        self._rewrite = rewrite
        self._held, self._at = b"", 0  # what has come, and how much of it has passed
        self._until = b""  # what ends the comment or raw text that we are in

    def feed(self, data: bytes) -> bytes:
        """As much of the page as can be told by now."""
        self._held, self._at = self._held[self._at :] + data, 0
        done: list[bytes] = []
        while self._at < len(self._held) and self._step(done):
            pass
        return b"".join(done)

    def end(self) -> bytes:
        """What was held back."""
        held, self._held, self._at = self._held[self._at :], b"", 0
        return held

    def _step(self, done: list[bytes]) -> bool:
        """Move on by a piece of text, a tag or a comment; False when more is needed first."""
        if self._until:
            return self._skip(done)
        start = self._held.find(b"<", self._at)
        if start != self._at:
            self._pass(len(self._held) if start < 0 else start, done)
            return True
        rest = len(self._held) - start
        if self._held.startswith(b"<!--", start):
            self._until = b"-->"
            return True
        if rest < len(b"<!--") and b"<!--".startswith(self._held[start:]):
            return False
        end = _end_of_tag(self._held, start)
        if end > 0:
            self._tag(end, done)
        elif rest > MAX_TAG_BYTES:
            self._pass(start + 1, done)
        else:
            return False
        return True

    def _skip(self, done: list[bytes]) -> bool:
        found = re.compile(re.escape(self._until), re.IGNORECASE).search(self._held, self._at)
        if found is None:  # what is sought may have begun
            self._pass(max(self._at, len(self._held) - len(self._until) + 1), done)
            return False
        is_comment = self._until == b"-->"
        self._until = b""
        self._pass(found.end() if is_comment else found.start(), done)
        return True

    def _tag(self, end: int, done: list[bytes]) -> None:
        tag, self._at = self._held[self._at : end], end
        named = _TAG_NAME.match(tag)
        name = named[1].lower() if named else b""
        done.append(self._linked(tag, _URL_ATTRIBUTES.get(name, frozenset())))
        if name in _RAW_TEXT and not tag.endswith(b"/>"):
            self._until = b"</" + name

    def _linked(self, tag: bytes, attributes: frozenset[bytes]) -> bytes:
        def replace(match: re.Match[bytes]) -> bytes:
            space, name, equals, value = match.groups()
            if name.lower() not in attributes:
                return match[0]
            bare = value[1:-1] if value[:1] in (b'"', b"'") else value
            old = html.unescape(bare.decode("utf-8", "surrogateescape"))
            new = self._rewrite(old)
            if new == old:
                return match[0]
            quoted = html.escape(new, quote=True).encode("utf-8", "surrogateescape")
            return space + name + equals + b'"' + quoted + b'"'

        return _ATTRIBUTE.sub(replace, tag) if attributes else tag

    def _pass(self, end: int, done: list[bytes]) -> None:
        """Pass on what there is up to `end`, as it is."""
        done.append(self._held[self._at : end])
        self._at = end


def _end_of_tag(text: bytes, start: int) -> int:
    """The position after the `>` that ends the tag at `start`; -1 when the tag is cut."""
    position = start + 1
    while found := _END_OR_QUOTE.search(text, position):
        if found[1]:
            return found.end()
        position = text.find(found[2], found.end()) + 1
        if position == 0:
            return -1
    return -1
