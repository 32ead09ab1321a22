"""Our checker and evaluation say what the library's own say, where it can be asked."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

from control_plane.api.cel import DYN, INT, CompileError, Environment, EvaluationError
from control_plane.api.cel.types import list_of

ROOT = Path(__file__).parents[4]
OURS = Environment({"object": DYN, "count": INT, "numbers": list_of(INT)})
THEIRS = cel.NewEnv(
    variables={
        "object": cel.Type.DYN,
        "count": cel.Type.INT,
        "numbers": cel.Type.List(cel.Type.INT),
    },
    extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings()],
)
BINDINGS: dict[str, Any] = {
    "object": {"a": 1, "b": "text", "c": [1, 2, 3], "d": {"e": True}, "f": None, "g": 2.5},
    "count": 3,
    "numbers": [3, 1, 2],
}
EXPRESSIONS = """
object.a + count
object.a == 1 && object.b.startsWith('t')
object.zz
object.c.map(x, x + count).filter(y, y > 4)
object.c.all(x, x in numbers)
object.c.exists_one(x, x == 2) ? 'one' : 'other'
has(object.d.e) && !has(object.d.z)
object.g * 2.0
object.g < count
object.a + object.b
numbers[9]
numbers[1] + 'a'
count ? 1 : 2
{'a': 1}.b
{'a': count}['a']
size(object.d) + size('text') + size([1]) + b'ab'.size()
'%d%s'.format([dyn(1), dyn('b')])
'a-b-c'.split('-').join('+')
'hello'.substring(1, 3) + 'hello'.replace('l', 'L') + 'X'.lowerAscii()
'hello'.indexOf('l') + 'hello'.lastIndexOf('l')
' a '.trim().upperAscii()
object.?zz.orValue(count)
optional.of(object.a).optMap(x, x + 1).value()
object.f == null
null == count
undeclared + 1
object.b.undeclared()
1 / 0
-count % 2
!count
"a" + 1
numbers.map(x, x)
[[1], [2]].map(x, x[0])
type(1) == int
int('7') + int(7.9) + int(7u)
string(count) + string(true) + string(1.5)
duration('1h') > duration('59m')
timestamp('2020-01-01T00:00:00Z') < timestamp('2021-01-01T00:00:00Z')
timestamp('2020-01-01T00:00:00Z') - timestamp('2019-12-31T00:00:00Z') == duration('24h')
'abc'.matches('b+')
object.c == [1, 2, 3] && object.d == {'e': true}
[] == [] && {} == {}
[].map(x, x).size()
count.size()
object.c.exists(x, x)
true || object.zz
object.zz && false
object.zz || false
numbers.exists(x, 10 / (x - 3) == 0)
[1, 2].all(x, x > 0) && [1].exists(x, x == 1)
uint(1) + 2u
double(count) + 0.5
bool('true') != bool('false')
{1: 'a', 2: 'b'}[count - 1]
[count, ?optional.none()]
object['a'] == object[?'a'].value()
""".strip().splitlines()


def ours(text: str) -> Any:
    try:
        return OURS.compile(text).evaluate(BINDINGS)
    except CompileError:
        return "does not compile"
    except EvaluationError:
        return "fails"


def theirs(text: str) -> Any:
    try:
        program = THEIRS.compile(text)
        value = program.eval(data=BINDINGS)
    except RuntimeError:
        return "does not compile"
    return "fails" if value.type().name() == "ERROR" else value.plain_value()


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_answer_is_that_of_the_library(text: str) -> None:
    assert ours(text) == theirs(text)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_type_is_that_of_the_library(text: str) -> None:
    try:
        wanted = THEIRS.compile(text).return_type().name().lower()
    except RuntimeError:
        return

    assert str(OURS.compile(text).output) == wanted.translate(str.maketrans("<>", "()"))


def test_the_generated_module_is_that_of_the_proto_file(tmp_path: Path) -> None:
    source = "control_plane/api/cel/syntax.proto"
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--python_out={tmp_path}", source],
        cwd=ROOT,
        check=True,
    )

    made = (tmp_path / source).with_name("syntax_pb2.py").read_bytes()
    assert made == (ROOT / "control_plane/api/cel/syntax_pb2.py").read_bytes()
