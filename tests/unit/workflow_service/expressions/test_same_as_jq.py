"""Direct evaluation and the cost proof, held against libjq itself."""

import math

import jq
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workflow_service.domain.expressions import ExpressionFailed, Expressions, JsonValue
from workflow_service.domain.expressions.cost import cost_of
from workflow_service.domain.expressions.direct import direct
from workflow_service.domain.expressions.order import Undecided
from workflow_service.domain.expressions.program import program_text
from workflow_service.domain.expressions.syntax import parse
from workflow_service.domain.expressions.tokens import tokenize

VARIABLES = frozenset({"context", "input"})

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: int(x) if x.is_integer() else x)
    | st.sampled_from(["", "a", "b", "x", "é", "\U0001f600", 'q"\\', "\x00\x7f", "10"])
)
keys = st.sampled_from(["a", "b", "env", "x y", "é"])
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)

paths = st.sampled_from(
    [".", ".a", ".b", ".a.b", ".env", '.["x y"]', '."a"', ".[0]", ".[-1]", ".a[1]", ".b[-2].a",
     "$context", "$context.a", "$input", "$input[0]", "$input.b.a", '.["a"]["b"]', '."a"."b"']
)  # fmt: skip
literals = st.sampled_from(
    ["1", "0", "-3", "2.5", ".5", "1e2", "10.0", '"a"', '""', '"q\\"\\\\"', '"\\u00e9"', "null",
     "true", "false", "[]", "{}", '"é"', "3."]
)  # fmt: skip


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def shaped(*shapes: str) -> st.SearchStrategy[str]:
        return st.tuples(st.sampled_from(shapes), inner, inner, inner).map(
            lambda it: it[0].format(*it[1:])
        )

    return shaped(
        "{0} == {1}", "{0} != {1}", "{0} < {1}", "{0} <= {1}", "{0} > {1}", "{0} >= {1}",
        "({0} == {1})", "({0} < {1})", "({0} + {1})", "({0} - {1})", "({0} * {1})",
        "({0} / {1})", "({0} % {1})", "({0} and {1})", "({0} or {1})", "({0} // {1})",
        "{0} // {1} // {2}", "{0} and {1} or {2}", "{0} or {1} and {2}", "{0} + {1} - {2}",
        "{0} + {1} * {2}", "{0} | {1}", "({0} | {1})", "({0} | not)", "({0} | length)",
        "[{0}, {1}]", "[{0}]", "{{a: ({0}), b: ({1})}}", '{{"k": .a, env: ({0})}}', "{{a, $input}}",
        "(if {0} then {1} else {2} end)", "(if {0} then {1} end)",
        "(if {0} then {1} elif {1} then {2} else {0} end)", '"<\\({0})-\\({1})>"', "({0}).a",
        "({0})[0]", "({0}) == 1 | not", "{0} == 1 and {1} == 2", "{0}|{1}|{2}",
        # From here on only libjq evaluates; the cost bound is what is tested.
        "[{0}, {1} | .]", "({0}, {1})", "[.[] | {0}]", "map({0})", "[.[]?]", "[{0}[]?]",
        "map(select({0}))", "to_entries", "(keys | {0})", "({0} | tojson)", "({0} | tostring)",
        "any({0})", "group_by({0})", "with_entries({0})", "({0} | @base64)", "{0}?",
        "map({{a: {0}, text: \"constant text\"}})", "[.[]? | [., {0}]]", "({0} | add)",
        "({0} | split(\"a\"))", "({0} | join(\"--------\"))", "({0} | @json)", "({0} | keys)",
    )  # fmt: skip


sources = st.recursive(paths | literals, _grow, max_leaves=8)


def _by_jq(source: str, document: JsonValue, arguments: dict[str, JsonValue]) -> JsonValue:
    """The first output, null when there is none; raises ValueError as jq does."""
    program = jq.compile(program_text(source, VARIABLES))
    outputs: list[JsonValue] = program.input_value({"d": document, "v": arguments}).all()
    return outputs[0] if outputs else None


def _same(a: JsonValue, b: JsonValue) -> bool:
    match a, b:
        case (bool(), _) | (_, bool()):
            return a is b
        case (int() | float(), int() | float()):
            return math.isclose(a, b, rel_tol=1e-15)
        case list(), list():
            return len(a) == len(b) and all(map(_same, a, b))
        case dict(), dict():
            return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
        case _:
            return a == b


@settings(max_examples=400, deadline=None)
@given(sources, documents, documents, documents)
def test_direct_evaluation_gives_what_jq_gives(
    source: str, document: JsonValue, context: JsonValue, given_input: JsonValue
) -> None:
    arguments = {"context": context, "input": given_input}
    node = parse(tokenize(source)[0], VARIABLES)
    evaluate = None if node is None else direct(node)
    if evaluate is None:
        return
    try:
        result = evaluate(document, arguments)
    except Undecided:
        return
    assert _same(result, _by_jq(source, document, arguments))


@settings(max_examples=400, deadline=None)
@given(sources, documents, documents)
@example(".|1|$context", None, "x" * 500)
@example("1|$context|[., .]", None, "x" * 500)
def test_outputs_stay_below_the_proven_bound(
    source: str, document: JsonValue, context: JsonValue
) -> None:
    arguments = {"context": context, "input": [context]}
    node = parse(tokenize(source)[0], VARIABLES)
    cost = None if node is None else cost_of(node)
    if cost is None or cost.direct_only:
        return
    try:
        program = jq.compile(program_text(source, VARIABLES))
        outputs = program.input_value({"d": document, "v": arguments}).all()
    except ValueError:
        return
    size = 64 + len(msgspec.json.encode([document, arguments])) + 8 * len(source)
    assert len(msgspec.json.encode(outputs)) <= cost.factor * size + cost.constant + 2


FRAGMENTS = r"""
    . .a .env $context $input 1 2.5 .5 - + * / % == < and or not // | , ( ) [ ] { } : ? ; a b
    "s" "\(1)" if then else end elif length map( select( @json as def .. ..a empty .[0]
    {a:1} {"a":.b} {$input} {a} [.] (1) "a"."b" true null -1 first join("-")
"""
fragments = st.lists(st.sampled_from(FRAGMENTS.split()), max_size=8)


@settings(max_examples=1500, deadline=None)
@given(fragments, st.sampled_from(["", " "]))
def test_what_we_understand_compiles_in_jq(pieces: list[str], between: str) -> None:
    source = between.join(pieces)
    try:
        tokens, text = tokenize(source)
    except ExpressionFailed:
        return
    node = parse(tokens, VARIABLES)
    if node is not None and direct(node) is not None:
        jq.compile(program_text(text, VARIABLES))


@settings(max_examples=300, deadline=None)
@given(fragments, st.sampled_from(["", " ", "\n"]))
def test_what_compiles_here_compiles_alone_in_jq(pieces: list[str], between: str) -> None:
    source = between.join(pieces)
    try:
        Expressions().compile(source, VARIABLES)
    except ExpressionFailed:
        return
    jq.compile(f". as $context | . as $input | {source}\n")


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60) - 1, 10**30])
def test_large_integers_pass_through_paths_unchanged(number: int) -> None:
    expression = Expressions().compile(".a.b", ())

    assert expression.evaluate({"a": {"b": number}}, {}) == number


@pytest.mark.parametrize(
    "source", ['"<\\(1e2)>"', '"\\(1.50)"', "[1e2, 1.0]", '"\\(007)"', "1e2 + 1"]
)
def test_how_a_literal_was_written_is_kept_as_jq_keeps_it(source: str) -> None:
    expected = jq.compile(source).input_text("null").first()

    assert Expressions().compile(source, ()).evaluate(None, {}) == expected
