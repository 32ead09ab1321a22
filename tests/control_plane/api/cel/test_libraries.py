"""Kubernetes' own functions, one by one."""

from typing import Any

import pytest

from control_plane.api.cel import DYN, Environment, EvaluationError
from control_plane.api.cel.admission import condition_environment
from control_plane.api.cel.libraries.authorization import (
    Authorizer,
    Question,
    Verdict,
    request_resource,
)

ENVIRONMENT = Environment({"object": DYN})
BINDINGS: dict[str, Any] = {"object": {"list": [3, 1, 2], "words": ["b", "a"], "text": "a-b-c"}}


@pytest.mark.parametrize(
    "text",
    [
        # lists
        "[1, 2, 2].isSorted() && !['b', 'a'].isSorted() && object.words.isSorted() == false",
        "object.list.sum() == 6 && [1.5, 2.0].sum() == 3.5 && [].sum() == 0",
        "[duration('1m'), duration('1s')].sum() == duration('61s')",
        "object.list.min() == 1 && ['b', 'a'].max() == 'b'",
        "object.list.indexOf(1) == 1 && [1, 1].lastIndexOf(1) == 1 && ['a'].indexOf('b') == -1",
        "[1, 2, 3, 4].slice(1, 3) == [2, 3]",
        "[[1], [2]].flatten() == [1, 2]",
        "[dyn(1), dyn([dyn(2), dyn([3])])].flatten(2) == [1, 2, 3]",
        "object.list.sort() == [1, 2, 3] && ['b', 'a'].sort() == ['a', 'b']",
        "[{'n': 2}, {'n': 1}].sortBy(x, x.n)[0].n == 1",
        "[1, 2, 1].distinct() == [1, 2] && [1, 2].reverse() == [2, 1]",
        "lists.range(3) == [0, 1, 2]",
        # regular expressions
        "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''",
        "'1 a 22'.findAll('[0-9]+') == ['1', '22'] && '1 a 22'.findAll('[0-9]+', 1) == ['1']",
        # strings
        "'hello'.charAt(4) == 'o' && 'hello'.charAt(5) == ''",
        "'hello'.indexOf('l', 3) == 3 && 'hello'.lastIndexOf('l', 2) == 2",
        "'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'ab'.split('') == ['a', 'b']",
        "'aaa'.replace('a', 'b', 2) == 'bba' && 'AbC'.lowerAscii() == 'abc'",
        "['a', 'b'].join() == 'ab' && ' a\\t'.trim() == 'a'",
        "'%s %d %.1f %e %b %o %x %X'.format([dyn('a'), 7, 1.25, 1000.0, 5, 8, 255, dyn('hi')]) == "
        "'a 7 1.2 1.000000e+03 101 10 ff 6869'",
        "'%s'.format([dyn([1, 2])]) == '[1, 2]' && '%s'.format([{'b': 1, 'a': 2}]) == "
        "'{a: 2, b: 1}'",
        "strings.quote('a\"b\\n') == '\"a\\\\\"b\\\\n\"'",
        # sets
        "sets.contains([1, 2], [2]) && !sets.contains([1], [2])",
        "sets.equivalent([1, 2, 2], [2, 1]) && sets.intersects([1, 2], [2, 3])",
        # URLs
        "isURL('https://a.b/c') && isURL('/c') && !isURL('a b') && !isURL('a.b')",
        "url('https://user@example.com:80/a b?k=1&k=2').getScheme() == 'https'",
        "url('https://user@example.com:80/').getHost() == 'example.com:80'",
        "url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() "
        "== '80'",
        "url('https://a/with space').getEscapedPath() == '/with%20space'",
        "url('/a?k=1&k=2').getQuery() == {'k': ['1', '2']}",
        # addresses
        "isIP('10.0.0.1') && isIP('::1') && !isIP('10.0.0.01') && !isIP('::ffff:1.2.3.4')",
        "ip('::1').family() == 6 && ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified()",
        "ip('224.0.0.1').isLinkLocalMulticast() && ip('169.254.1.1').isLinkLocalUnicast()",
        "ip('10.0.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
        "ip.isCanonical('::1') && !ip.isCanonical('0:0::1')",
        "string(ip('1.2.3.4')) == '1.2.3.4' && ip('::1') == ip('0::1')",
        "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/255.0.0.0')",
        "cidr('10.0.0.0/8').containsIP('10.1.1.1') && !cidr('10.0.0.0/8').containsIP(ip('::1'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')",
        "!cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
        "cidr('10.1.2.3/8').ip() == ip('10.1.2.3') && cidr('10.1.2.3/8').prefixLength() == 8",
        "string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8'",
        # quantities
        "quantity('1Ki') == quantity('1024') && isQuantity('1.5Gi') && !isQuantity('1x')",
        "quantity('2').isGreaterThan(quantity('1500m'))",
        "quantity('1m').isLessThan(quantity('1'))",
        "quantity('1').compareTo(quantity('2')) == -1 && sign(quantity('-1')) == -1",
        "sign(quantity('0')) == 0 && quantity('1k').asInteger() == 1000",
        "!quantity('1m').isInteger() && quantity('500m').asApproximateFloat() == 0.5",
        "quantity('1').add(quantity('500m')).sub(1) == quantity('500m')",
        # optionals
        "[1, 2].first().value() == 1 && [1, 2].last().value() == 2",
        "!dyn([]).first().hasValue() && !dyn([]).last().hasValue()",
        "optional.unwrap([optional.of(1), optional.none()]) == [1]",
        "[optional.none(), optional.of(2)].unwrapOpt() == [2]",
        # versions
        "isSemver('1.2.3-a.1+b') && !isSemver('v1.2') && isSemver('v1.2', true)",
        "semver('1.2.3').isLessThan(semver('1.10.0'))",
        "semver('1.0.0-a').isLessThan(semver('1.0.0'))",
        "semver('1.0.0-2').compareTo(semver('1.0.0-10')) == -1",
        "semver('1.0.0+a') == semver('1.0.0+b') && semver('v01.2', true).minor() == 2",
        "semver('1.2.3').major() == 1 && semver('1.2.3').patch() == 3",
        # formats
        "!format.dns1123Label().validate('a-b').hasValue()",
        "format.dns1123Label().validate('A').value().size() == 1",
        "!format.dns1123LabelPrefix().validate('a-').hasValue()",
        "format.named('uuid').value().validate('x').value() == ['does not match the UUID format']",
        "!format.named('none').hasValue() && format.date().validate('2020-13-01').hasValue()",
        "!format.datetime().validate('2020-01-01T00:00:00Z').hasValue()",
        "format.byte().validate('*').hasValue() && !format.uri().validate('/a').hasValue()",
        "!format.labelValue().validate('').hasValue()",
        "format.qualifiedName().validate('/').hasValue()",
        # types
        "type(ip('::1')) == net.IP && type(quantity('1')) == kubernetes.Quantity",
    ],
)
def test_a_function_does_what_it_says(text: str) -> None:
    assert ENVIRONMENT.compile(text).evaluate(BINDINGS) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1].slice(0, 2)", "cannot slice(0, 2), list is length 1"),
        ("[1].filter(x, x > 1).min()", "min called on empty list"),
        ("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"),
        ("'abc'.charAt(9)", "index out of range: 9"),
        ("dyn([1]).join('-')", "no such overload"),
        ("dyn(optional.of(1)).value().optMap(x, x)", "no such overload"),
        ("quantity(dyn(optional.of(1)).value())", "no such overload: quantity(int)"),
        ("quantity('x')", "quantities must match the regular expression"),
        ("quantity('1m').asInteger()", "cannot convert value to integer"),
        ("url('a b')", "URL parse error during conversion from string"),
        ("ip('1.2.3')", 'IP Address "1.2.3" parse error during conversion from string'),
        ("cidr('1.2.3.4')", "network address parse error during conversion from string"),
        ("semver('1')", "invalid semver: 1"),
        ("'%d'.format(['a'])", "decimal clause can only be used on integers"),
        ("'%s %s'.format(['a'])", "index 1 out of range"),
        ("'%y'.format(['a'])", 'unrecognized formatting clause "y"'),
    ],
)
def test_a_function_refuses(text: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        ENVIRONMENT.compile(text).evaluate(BINDINGS)

    assert message in str(caught.value)


def test_the_authorizer_is_asked_what_the_expression_says() -> None:
    asked: list[Question] = []

    def decide(question: Question) -> Verdict:
        asked.append(question)
        return Verdict(question.verb == "get", "because")

    authorizer = Authorizer(decide)
    bindings = {
        "authorizer": authorizer,
        "authorizer.requestResource": request_resource(authorizer, Question(resource="pods")),
    }
    text = (
        "authorizer.group('g').resource('r').subresource('s').namespace('n').name('x')"
        ".check('get').allowed() && "
        "!authorizer.serviceAccount('n', 'a').path('/p').check('put').allowed()"
    )

    assert condition_environment().compile(text).evaluate(bindings) is True
    assert asked == [
        Question("get", "", "g", "r", "s", "n", "x"),
        Question("put", "/p", service_account=("n", "a")),
    ]


def test_a_verdict_is_remembered_and_a_bad_selector_told() -> None:
    asked: list[Question] = []

    def decide(question: Question) -> Verdict:
        asked.append(question)
        return Verdict(True)

    authorizer = Authorizer(decide)
    bindings = {
        "authorizer": authorizer,
        "authorizer.requestResource": request_resource(authorizer, Question(resource="pods")),
    }
    text = (
        "authorizer.requestResource.check('get').allowed() && "
        "authorizer.requestResource.labelSelector('a in').check('get').errored()"
    )

    assert condition_environment().compile(text).evaluate(bindings) is True
    assert len(asked) == 1
