"""The views since schema 0004: `objects`, `keys` and `changes`, for people with a SQL prompt.

`objects` shows live Kubernetes objects by the place of their key, `keys` every live key, `changes`
every event that compaction has left. `docs/inspect.md` is about them. The columns of 0001 stand
first and as they were, so that views and rights that people have made on them stay good.

    /registry/<resource>/[<namespace>/]<name>             core and built-in groups
    /registry/<group>/<resource>/[<namespace>/]<name>     groups with a dot in their name

Nothing here can fail on data that is not ours. A key that is not UTF-8, or has control characters,
is shown in hexadecimal; a value that is not JSON, or has in it what the database's JSON functions
refuse, is NULL. Of a protobuf value the version and the kind are shown: they stand at its beginning
(`k8s` NUL, then field 1 of runtime.Unknown, whose fields 1 and 2 they are, each shorter than 128
bytes). Its name is that of its key.

Schema 0005 adds a time to `objects` and `changes`: that of the last moment up to the revision, NULL
for what is older than all of them.

SPELLINGS has what databases spell differently, one row each; the views are written once.
"""

from dataclasses import dataclass, replace

from datastore.migrations.mysql_json import IS_JSON
from datastore.migrations.sqlite_utf8 import IS_UTF8

RENAMED = {
    "minions": "nodes",
    "controllers": "replicationcontrollers",
    "ingress": "ingresses",
    "services/specs": "services",
    "services/endpoints": "endpoints",
}
PROTOBUF = b"k8s\0"
ENCRYPTED = b"k8s:enc:"


@dataclass(frozen=True, slots=True)
class Spelling:
    """SQL of one database. {0} is a blob, but in `head`, `find` and `member`: there it is text.

    `text` and `json` are NULL for what is not UTF-8 without control characters, or not JSON;
    `plain` is NULL for what is not printable ASCII; `byte` is the number of the byte at {1}.
    """

    create: str  # {0} is the view's name
    quote: str
    blob: str  # {0} is hexadecimal
    hexadecimal: str
    text: str
    plain: str
    json: str
    member: str  # the string member {1} of JSON
    byte: str
    head: str  # of text, before the first slash
    find: str  # where {1} is in text, 0 for nowhere
    join: str
    time: str  # {0} is a second of Unix time
    # A table {1} of one row, whose column `value` is the text {0} of the row before. MariaDB makes
    # a file of each, so there `path`, the text of a key known to be text, is written everywhere.
    lateral: str = ""
    path: str = ""
    before: tuple[str, ...] = ()  # statements


_ASCII = "CAST({0} AS TEXT) NOT GLOB '*[^ -~]*'"
_LONE_SURROGATES = " OR ".join(
    f"escapes GLOB '*{pattern}*'"
    for pattern in (
        r"\u[dD][89abAB]??[^\]",
        r"\u[dD][89abAB]??\[^u]",
        r"\u[dD][89abAB]??\u[^dD]",
        r"\u[dD][89abAB]??\u[dD][^c-fC-F]",
        r"[^\]?????\u[dD][c-fC-F]",
        r"\[^u]????\u[dD][c-fC-F]",
        r"\u[^dD]???\u[dD][c-fC-F]",
        r"\u[dD][^89abAB]??\u[dD][c-fC-F]",
    )
)
# `json_extract` would make text that is not UTF-8 of half a surrogate pair.
_WHOLE_PAIRS = f"""(CAST({{0}} AS TEXT) NOT GLOB '*\\u[dD][89a-fA-F]*' OR (
  SELECT NOT ({_LONE_SURROGATES})
  FROM (SELECT '      ' || replace(CAST({{0}} AS TEXT), '\\\\', '..') AS escapes)
))"""

_PG_FUNCTION = """
CREATE OR REPLACE FUNCTION tapir_{name}(bytes bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE AS $$
DECLARE
  written text;
BEGIN
  written := convert_from(bytes, 'UTF8');
  {check}RETURN written;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$
"""
_PG_PLAIN = r"encode({0}, 'escape') ~ '^[\x20-\x5B\x5D-\x7E]*$'"
_UTF8MB4 = "CONVERT({0} USING utf8mb4)"
# Some versions put a question mark for what is not UTF-8, some give NULL; MariaDB takes surrogates.
_IS_UTF8MB4 = (
    "CAST(CONVERT(CONVERT(CONVERT({0} USING utf8mb4) USING utf16) USING utf8mb4) AS BINARY) = {0}"
)

_MARIADB = Spelling(
    create="CREATE OR REPLACE VIEW {0} AS",
    quote="`",
    blob="x'{0}'",
    hexadecimal="CONCAT('x''', LOWER(HEX({0})), '''')",
    text=(
        f"CASE WHEN {_IS_UTF8MB4} "
        f"AND NOT {_UTF8MB4} REGEXP '[[:cntrl:]]' THEN {_UTF8MB4} COLLATE utf8mb4_bin END"
    ),
    plain=(
        f"CASE WHEN NOT HEX({{0}}) REGEXP '^(..)*([018-9A-F].|7F)' "
        f"THEN {_UTF8MB4} COLLATE utf8mb4_bin END"
    ),
    json=(
        f"CASE WHEN {_IS_UTF8MB4} AND JSON_VALID({_UTF8MB4}) "
        f"THEN {_UTF8MB4} COLLATE utf8mb4_bin END"
    ),
    member="JSON_VALUE({0}, '$.{1}')",
    byte="ASCII(SUBSTR({0}, {1}, 1))",
    head="SUBSTRING_INDEX({0}, '/', 1)",
    find="INSTR({0}, {1})",
    join="CONCAT({0}, {1})",
    time="FROM_UNIXTIME({0})",
    path="CONVERT(SUBSTR({0}, 11) USING utf8mb4) COLLATE utf8mb4_bin",
)

SPELLINGS = {
    "sqlite": Spelling(
        create="CREATE VIEW {0} AS",
        quote='"',
        blob="x'{0}'",
        hexadecimal="'x''' || lower(hex({0})) || ''''",
        text=(
            f"CASE WHEN instr({{0}}, x'00') > 0 THEN NULL WHEN {_ASCII} THEN CAST({{0}} AS TEXT) "
            "WHEN CAST({0} AS TEXT) GLOB '*[' || char(1) || '-' || char(31) || char(127) || ']*' "
            f"THEN NULL WHEN {IS_UTF8} THEN CAST({{0}} AS TEXT) END"
        ),
        plain=f"CASE WHEN instr({{0}}, x'00') = 0 AND {_ASCII} THEN CAST({{0}} AS TEXT) END",
        json=(
            "CASE WHEN instr({0}, x'00') > 0 THEN NULL "
            "WHEN NOT json_valid(CAST({0} AS TEXT)) THEN NULL "
            f"WHEN NOT {_WHOLE_PAIRS} THEN NULL "
            "WHEN CAST({0} AS TEXT) NOT GLOB '*[^' || char(1) || '-' || char(127) || ']*' "
            f"THEN CAST({{0}} AS TEXT) WHEN {IS_UTF8} THEN CAST({{0}} AS TEXT) END"
        ),
        member="json_extract({0}, '$.{1}')",
        byte="unicode(CAST(substr({0}, {1}, 1) AS TEXT))",  # right below 128, and not below above
        head="substr({0}, 1, instr({0}, '/') - 1)",
        find="instr({0}, {1})",
        join="{0} || {1}",
        time="datetime({0}, 'unixepoch')",
        lateral="CROSS JOIN json_each(json_array({0})) AS {1}",
        before=("DROP VIEW objects", "DROP VIEW keys"),
    ),
    "postgresql": Spelling(
        create="CREATE OR REPLACE VIEW {0} AS",
        quote='"',
        blob="'\\x{0}'::bytea",
        hexadecimal="'x''' || encode({0}, 'hex') || ''''",
        text=(
            f"CASE WHEN {_PG_PLAIN} THEN encode({{0}}, 'escape') "
            r"WHEN tapir_text({0}) !~ '[\x01-\x1F\x7F]' THEN tapir_text({0}) END"
        ),
        plain=f"CASE WHEN {_PG_PLAIN} THEN encode({{0}}, 'escape') END",
        json="tapir_json({0})",
        member="CAST({0} AS jsonb) ->> '{1}'",
        byte="get_byte(substr({0}, {1}, 1) || '\\x00'::bytea, 0)",
        head="split_part({0}, '/', 1)",
        find="strpos({0}, {1})",
        join="{0} || {1}",
        time="to_timestamp({0})",
        lateral="CROSS JOIN LATERAL (SELECT {0} AS value OFFSET 0) AS {1}",
        # A block with EXCEPTION is a subtransaction, which no parallel plan may begin.
        before=(
            _PG_FUNCTION.format(name="text", check=""),
            _PG_FUNCTION.format(name="json", check="PERFORM written::jsonb;\n  "),
        ),
    ),
    "mariadb": _MARIADB,
    "mysql": replace(
        _MARIADB,
        json=(
            f"CASE WHEN {_IS_UTF8MB4} AND {IS_JSON.format(_UTF8MB4)} "
            f"THEN {_UTF8MB4} COLLATE utf8mb4_bin END"
        ),
        member="JSON_VALUE({0}, '$.{1}' RETURNING CHAR)",  # or it has 512 characters at most
    ),
}

_KEYS = """{create_keys}
SELECT coalesce({key_text}, {key_hex}) AS {key},
  kv.id >> 20 AS revision, kv.create_revision AS create_revision,
  kv.version AS version, kv.lease AS lease, length(history.value) AS size,
  {encoding} AS encoding, {api_version} AS api_version, {kind} AS kind,
  kv.{key} AS key_bytes, kv.id AS id
FROM kv JOIN history ON history.id = kv.id
WHERE kv.deleted = 0"""

# What is under a path is worked out once a row, which costs a scan less than writing it into each
# column. kv stays a table of the query itself: a condition on key_bytes goes to its index.
_OBJECTS = """{create_objects}
SELECT {resource} AS resource, {namespace} AS namespace, {name} AS name,
  kv.id >> 20 AS revision,
  {json} AS value,
  {encoding} AS encoding, {api_version} AS api_version, {kind} AS kind,
  length(history.value) AS size, kv.create_revision AS create_revision,
  kv.version AS version, kv.lease AS lease, kv.{key} AS key_bytes, kv.id AS id{kv_time}
FROM kv {paths} {places}
CROSS JOIN history{kv_moment}
WHERE history.id = kv.id AND kv.deleted = 0 AND kv.{key} >= {low} AND kv.{key} < {high}
  {is_text}AND {placed} LIKE '_%/_%' AND {placed} NOT LIKE '/%'"""

_CHANGES = """{create_changes}
SELECT history.id >> 20 AS revision,
  CASE WHEN deleted <> 0 THEN 'delete' WHEN version = 1 THEN 'create' ELSE 'update' END AS event,
  coalesce({history_key_text}, {history_key_hex}) AS {key},
  version, lease, length(value) AS size,
  {json} AS value, {key} AS key_bytes, id, prev_id AS previous_id{history_time}
FROM history{history_moment}"""

_LAST = """(
  SELECT {0} FROM moment AS known WHERE known.revision <= {1}.id >> 20
  ORDER BY known.revision DESC LIMIT 1
)"""
_NO_TIMES = dict.fromkeys(("kv_time", "kv_moment", "history_time", "history_moment"), "")


def statements(database: str) -> list[str]:
    """Return what makes the views, in order; `database` is a row of SPELLINGS."""
    names = _names(SPELLINGS[database]) | _NO_TIMES
    views = (view.format(**names) for view in (_KEYS, _OBJECTS, _CHANGES))
    return [*SPELLINGS[database].before, *views]


def with_times(database: str) -> list[str]:
    """Return what puts views with times in the place of those without, in order."""
    spelling = SPELLINGS[database]
    names = _names(spelling) | _of_times(spelling)
    views = ("objects", "changes", "keys")
    dropped = [f"DROP VIEW {view}" for view in views if database == "sqlite"]
    return [*dropped, *(view.format(**names) for view in (_KEYS, _OBJECTS, _CHANGES))]


def _names(spelling: Spelling) -> dict[str, str]:
    names = {**_of_keys(spelling), **_of_values(spelling), **_of_places(spelling)}
    for view in ("keys", "objects", "changes"):
        quoted = f"{spelling.quote}{view}{spelling.quote}"
        names[f"create_{view}"] = spelling.create.format(quoted)
    return names


def _of_times(spelling: Spelling) -> dict[str, str]:
    """Return the column, and the table that it is of where a view with a query in it is slow.

    MySQL would work out a view that has one in place of a column as a whole, and then look for what
    is asked of it.
    """
    found = dict(_NO_TIMES)
    for table in ("kv", "history"):
        if spelling.lateral:
            time = _LAST.format(spelling.time.format("known.time"), table)
        else:
            time = spelling.time.format("moment.time")
            last = _LAST.format("known.time", table)
            found[f"{table}_moment"] = f"\nLEFT JOIN moment ON moment.time = {last}"
        found[f"{table}_time"] = f",\n  {time} AS time"
    return found


def _of_keys(spelling: Spelling) -> dict[str, str]:
    key = f"{spelling.quote}key{spelling.quote}"
    found = {"key": key}
    for prefix, table in (("", "kv"), ("history_", "history")):
        found[f"{prefix}key_text"] = spelling.text.format(f"{table}.{key}")
        found[f"{prefix}key_hex"] = spelling.hexadecimal.format(f"{table}.{key}")
    for name, bound in (("low", b"/registry/"), ("high", b"/registry0")):
        found[name] = spelling.blob.format(bound.hex())
    return found


def _of_values(spelling: Spelling) -> dict[str, str]:
    """Return what is shown of a value; see the module for protobuf."""
    value = "history.value"
    json = spelling.json.format(value)

    def byte(at: str) -> str:
        return spelling.byte.format(value, at)

    def starts(prefix: bytes) -> str:
        return f"substr({value}, 1, {len(prefix)}) = {spelling.blob.format(prefix.hex())}"

    def short(tag: int, at: str, after: str) -> str:
        """Return the field with that tag whose tag, length and text are at these places."""
        length = byte(f"{at} + 1")
        text = spelling.plain.format(f"substr({value}, {after}, {length})")
        return f"CASE WHEN {byte(at)} = {tag} AND {length} BETWEEN 1 AND 127 THEN {text} END"

    second = f"9 + {byte('8')}"
    fields = {
        "api_version": short(0x0A, "7", "9"),
        "kind": f"CASE WHEN {byte('8')} < 128 THEN {short(0x12, second, f'{second} + 2')} END",
    }
    members = {"api_version": "apiVersion", "kind": "kind"}
    return {
        "json": json,
        "encoding": (
            f"CASE WHEN {starts(PROTOBUF)} THEN 'protobuf' WHEN {starts(ENCRYPTED)} THEN "
            f"'encrypted' WHEN {json} IS NOT NULL THEN 'json' ELSE 'other' END"
        ),
        **{
            name: (
                f"CASE WHEN {starts(PROTOBUF)} THEN CASE WHEN {byte('5')} = 10 THEN {field} END "
                f"ELSE {spelling.member.format(json, members[name])} END"
            )
            for name, field in fields.items()
        },
    }


def _of_places(spelling: Spelling) -> dict[str, str]:
    """Return the place of an object below /registry/, by the names that people know."""
    key = f"kv.{spelling.quote}key{spelling.quote}"
    text = spelling.text.format(key)
    if not spelling.lateral:
        place = f"({_known_place(spelling, spelling.path.format(key))})"
        tables = {"paths": "", "places": "", "is_text": f"AND {text} IS NOT NULL "}
    else:
        place = "placed.value"
        tables = {
            "paths": spelling.lateral.format(f"substr({text}, 11)", "paths"),
            "places": spelling.lateral.format(_known_place(spelling, "paths.value"), "placed"),
            "is_text": "",  # or there would be no place
        }
    rest = _after_slash(spelling, place)
    namespace = spelling.head.format(rest)
    return {
        **tables,
        "placed": place,
        "resource": spelling.head.format(place),
        "namespace": f"CASE WHEN {_slash(spelling, rest)} > 0 THEN {namespace} END",
        "name": _after_slash(spelling, rest),
    }


def _slash(spelling: Spelling, text: str) -> str:
    return spelling.find.format(text, "'/'")


def _after_slash(spelling: Spelling, text: str) -> str:
    return f"substr({text}, {_slash(spelling, text)} + 1)"


def _known_place(spelling: Spelling, path: str) -> str:
    """Return a path without its group, and under its resource's own name."""

    def moved(stored: str, known: str) -> str:
        rest = f"substr({path}, {len(stored) + 1})"
        joined = spelling.join.format(f"'{known}'", rest)
        return f" WHEN substr({path}, 1, {len(stored) + 1}) = '{stored}/' THEN {joined}"

    group = spelling.find.format(f"substr({path}, 1, {_slash(spelling, path)})", "'.'")
    renamed = "".join(moved(*names) for names in RENAMED.items())
    return f"CASE WHEN {group} > 0 THEN {_after_slash(spelling, path)}{renamed} ELSE {path} END"
