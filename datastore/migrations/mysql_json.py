"""SQL of MySQL that says whether a text is JSON, and ends no query; used by the views for people.

MySQL's JSON functions, JSON_VALID too, end a query that meets JSON nested deeper than 100. So a
text with more brackets is stripped first: of its escapes, its strings, all that is no bracket, and
then of its innermost pairs of brackets, PASSES times over. It is nested no deeper than that and the
brackets left, at least up to where it stops being JSON, which is as far as MySQL reads.

Its regular expressions end a query as well, when they find too much (`regexp_time_limit`), or look
for the end of a string in vain. What has very many brackets or strings, or half a one, is said to
be no JSON. NUL, which JSON_VALID takes for the end, is none either.
"""

PASSES = 60
LEFT = 40  # PASSES more are nested a hundred deep at most
MOST = 100_000  # brackets, or strings: a third of what regular expressions may find by default
_AT_ONCE = 100  # brackets


def _literal(text: str) -> str:
    """Return text as SQL that is the same in every `sql_mode`, and to `str.format`."""
    return f"_utf8mb4 x'{text.encode().hex()}'"


def _without(text: str, *gone: str) -> str:
    for part in gone:
        text = f"REPLACE({text}, {_literal(part)}, '')"
    return text


def _count(text: str, *wanted: str) -> str:
    return f"LENGTH({text}) - LENGTH({_without(text, *wanted)})"


def _brackets(text: str) -> str:
    """Return the SQL of a text's brackets outside its strings, all of them square."""
    for pattern in ('"[^"]*"', r"[^\[\]{}]+"):
        text = f"REGEXP_REPLACE({text}, {_literal(pattern)}, '')"
    for curly, square in ("{[", "}]"):
        text = f"REPLACE({text}, {_literal(curly)}, {_literal(square)})"
    return text


_NO_ESCAPES = _without("{0}", "\\\\", '\\"')
_LEFT_OVER = _without(_brackets(_NO_ESCAPES), *["[]"] * PASSES)
_NULS = _count("{0}", "\0")
_BRACKETS, _QUOTES = _count("{0}", *"[]{}"), _count(_NO_ESCAPES, '"')
IS_JSON = (
    f"CASE WHEN {_NULS} > 0 THEN 0 "
    f"WHEN {_BRACKETS} <= {_AT_ONCE} THEN JSON_VALID({{0}}) "
    f"WHEN {_BRACKETS} > {MOST} OR {_QUOTES} > {2 * MOST} OR MOD({_QUOTES}, 2) = 1 THEN 0 "
    f"WHEN LENGTH({_LEFT_OVER}) > {LEFT} THEN 0 ELSE JSON_VALID({{0}}) END"
)
