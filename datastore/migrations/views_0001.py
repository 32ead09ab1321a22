"""The views of schema 0001: `keys` and `objects`, for people with a SQL prompt.

`objects` shows Kubernetes objects by the place of their key:

    /registry/<resource>/[<namespace>/]<name>             core and built-in groups
    /registry/<group>/<resource>/[<namespace>/]<name>     groups with a dot in their name

with the few resources that are stored under another name given the one that people know. Nothing
here can fail on data that is not ours: a key that is not printable ASCII is shown in hexadecimal,
and a value that is not JSON text is NULL.
"""

RENAMED = {
    "minions": "nodes",
    "controllers": "replicationcontrollers",
    "ingress": "ingresses",
}

_RENAME = " ".join(f"WHEN '{stored}' THEN '{known}'" for stored, known in RENAMED.items())

# p1/rest1 .. are the segments after /registry/, cut off one by one from the left.
_OBJECTS = """
CREATE VIEW objects AS
WITH live AS (
  SELECT {path} AS path, id FROM kv
  WHERE deleted = 0 AND {under_registry}
), one AS (
  SELECT id, {head_path} AS s1, {tail_path} AS r1 FROM live
), two AS (
  SELECT id, s1, {head_r1} AS s2, {tail_r1} AS r2 FROM one
), placed AS (
  SELECT id,
    CASE WHEN s1 LIKE '%.%' THEN s2
         WHEN s1 = 'services' AND s2 IN ('specs', 'endpoints') AND {slashes_r2} = 1
           THEN CASE s2 WHEN 'specs' THEN 'services' ELSE 'endpoints' END
         ELSE CASE s1 {rename} ELSE s1 END
    END AS resource,
    CASE WHEN s1 LIKE '%.%' THEN r2
         WHEN s1 = 'services' AND s2 IN ('specs', 'endpoints') AND {slashes_r2} = 1 THEN r2
         ELSE CASE WHEN r2 = '' THEN s2 ELSE s2 || '/' || r2 END
    END AS rest
  FROM two WHERE s2 <> ''
)
SELECT placed.resource AS resource,
  {namespace} AS namespace,
  {name} AS name,
  placed.id / 1048576 AS revision,
  {value} AS value
FROM placed JOIN history ON history.id = placed.id
WHERE placed.resource <> '' AND placed.rest <> ''
"""

_SQLITE_PRINTABLE = "(instr({0}, x'00') = 0 AND CAST({0} AS TEXT) NOT GLOB '*[^ -~]*')"


def _sqlite_head(text: str) -> str:
    cut = f"instr({text}, '/')"
    return f"CASE {cut} WHEN 0 THEN {text} ELSE substr({text}, 1, {cut} - 1) END"


def _sqlite_tail(text: str) -> str:
    cut = f"instr({text}, '/')"
    return f"CASE {cut} WHEN 0 THEN '' ELSE substr({text}, {cut} + 1) END"


_SQLITE = (
    f"""
CREATE VIEW keys AS
SELECT CASE WHEN {_SQLITE_PRINTABLE.format("kv.key")} THEN CAST(kv.key AS TEXT)
            ELSE 'x''' || hex(kv.key) || '''' END AS key,
  kv.id / 1048576 AS revision, kv.create_revision AS create_revision,
  kv.version AS version, kv.lease AS lease, length(history.value) AS size
FROM kv JOIN history ON history.id = kv.id
WHERE kv.deleted = 0
""",
    _OBJECTS.format(
        path="substr(CAST(key AS TEXT), 11)",
        under_registry=(
            "key >= CAST('/registry/' AS BLOB) AND key < CAST('/registry0' AS BLOB) AND "
            + _SQLITE_PRINTABLE.format("key")
        ),
        head_path=_sqlite_head("path"),
        tail_path=_sqlite_tail("path"),
        head_r1=_sqlite_head("r1"),
        tail_r1=_sqlite_tail("r1"),
        slashes_r2="(length(r2) - length(replace(r2, '/', '')))",
        rename=_RENAME,
        namespace=(
            "CASE instr(rest, '/') WHEN 0 THEN NULL ELSE substr(rest, 1, instr(rest, '/') - 1) END"
        ),
        name="CASE instr(rest, '/') WHEN 0 THEN rest ELSE substr(rest, instr(rest, '/') + 1) END",
        value=(
            "CASE WHEN instr(history.value, x'00') = 0 AND json_valid(CAST(history.value AS TEXT)) "
            "THEN CAST(history.value AS TEXT) END"
        ),
    ),
)

_PG_TEXT = """
CREATE FUNCTION tapir_text(bytes bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN convert_from(bytes, 'UTF8');
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$
"""

_PG_JSON = """
CREATE FUNCTION tapir_json(bytes bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  written text := convert_from(bytes, 'UTF8');
BEGIN
  PERFORM written::jsonb;
  RETURN written;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$
"""

_POSTGRESQL = (
    _PG_TEXT,
    _PG_JSON.replace(
        "DECLARE\n  written text := convert_from(bytes, 'UTF8');\nBEGIN\n",
        "DECLARE\n  written text;\nBEGIN\n  written := convert_from(bytes, 'UTF8');\n",
    ),
    """
CREATE VIEW keys AS
SELECT coalesce(tapir_text(kv.key), 'x''' || encode(kv.key, 'hex') || '''') AS key,
  kv.id / 1048576 AS revision, kv.create_revision AS create_revision,
  kv.version AS version, kv.lease AS lease, length(history.value) AS size
FROM kv JOIN history ON history.id = kv.id
WHERE kv.deleted = 0
""",
    _OBJECTS.format(
        path="substr(tapir_text(key), 11)",
        under_registry=(
            "key >= '/registry/'::bytea AND key < '/registry0'::bytea "
            "AND tapir_text(key) IS NOT NULL"
        ),
        head_path="split_part(path, '/', 1)",
        tail_path="substr(path, length(split_part(path, '/', 1)) + 2)",
        head_r1="split_part(r1, '/', 1)",
        tail_r1="substr(r1, length(split_part(r1, '/', 1)) + 2)",
        slashes_r2="(length(r2) - length(replace(r2, '/', '')))",
        rename=_RENAME,
        namespace="CASE WHEN strpos(rest, '/') > 0 THEN split_part(rest, '/', 1) END",
        name=(
            "CASE WHEN strpos(rest, '/') > 0 THEN substr(rest, strpos(rest, '/') + 1) ELSE rest END"
        ),
        value="tapir_json(history.value)",
    ),
)

VIEWS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
