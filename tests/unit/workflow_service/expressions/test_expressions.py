"""What expressions may name, where they are evaluated, and what they give."""

import threading
from collections.abc import Sequence

import msgspec
import pytest

from workflow_service.domain.expressions import (
    Expression,
    ExpressionFailed,
    ExpressionLimits,
    Expressions,
    JsonValue,
    NeedsWorker,
)
from workflow_service.domain.expressions.program import compile_program, encode_input, run_program

VARIABLES = ("context", "input", "output")


class RecordingEvaluator:
    """Answers a fixed text and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...], bytes]] = []

    def evaluate(
        self, source: str, variables: Sequence[str], document_json: bytes, deadline_s: float
    ) -> bytes:
        self.asked.append((source, tuple(variables), document_json))
        return b'"asked"'


def compiled(source: str) -> Expression:
    return Expressions().compile(source, VARIABLES)


@pytest.mark.parametrize(
    "source",
    [
        "env",
        "$ENV",
        "$ENV.PATH",
        "{$ENV}",
        "{(env): 1}",
        "{a: env}",
        "{a: 1 | env}",
        "[1, env]",
        '"\\(env)"',
        '"a\\("b\\($ENV)")"',
        '@text "\\(env.PATH)"',
        ". as $x | env",
        "def env: 1; env",
        "input",
        "[inputs]",
        "try input catch .",
        "halt",
        "halt_error",
        'halt_error("x")',
        "debug",
        'debug("x")',
        "stderr",
        "input_filename",
        "input_line_number",
        "get_search_list",
        '"a" | modulemeta',
        'import "a" as a; 1',
        'import "a" as a {search: "/etc"}; 1',
        'include "a"; 1',
        "module {}; 1",
        "$__loc__",
        "{$__loc__}",
        "$__prog_args",
        "$__i",
        "$__i.v",
        "a::env",
        "1 #\\\\\n| env",
        '"x" # " \n | env',
        "if env then 1 else 2 end",
    ],
)
def test_what_reaches_beyond_the_input_is_refused(source: str) -> None:
    with pytest.raises(ExpressionFailed, match="not available"):
        compiled(source)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        (".env", 1),
        (".input.halt", 2),
        ('."env"', 1),
        ('.["env"]', 1),
        ("{env: 3}", {"env": 3}),
        ("{env}", {"env": 1}),
        ("{a: 1, debug: 2}", {"a": 1, "debug": 2}),
        (". as {env: $x} | $x", 1),
        ('"env $ENV \\(.env)"', "env $ENV 1"),
        (".env # input", 1),
        ("# env\n.env", 1),
        ('.["input"]["halt"]', 2),
        ("1 # \\\n| env", 1),
    ],
)
def test_the_same_words_are_fine_as_data(source: str, result: JsonValue) -> None:
    document: JsonValue = {"env": 1, "input": {"halt": 2}}

    assert compiled(source).evaluate(document, {}) == result


@pytest.mark.parametrize(
    "source",
    ["1) | env | (2", "1) | . | (2", "1)", "(1", "]", "[1)", '"\\(1', '"a', "{", "1 #)\n)"],
)
def test_an_expression_cannot_leave_its_parentheses(source: str) -> None:
    with pytest.raises(ExpressionFailed, match="syntax error"):
        compiled(source)


@pytest.mark.parametrize("name", ["env", "$ENV", "[inputs]", "halt_error", "input", "debug"])
def test_forbidden_names_see_nothing_even_past_the_policy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "canary-value")
    program = compile_program(name, frozenset())

    assert "canary" not in str(run_program(program, encode_input(None, {}, ())))


def test_jq_tells_what_does_not_compile_and_where() -> None:
    with pytest.raises(ExpressionFailed, match="foo/0 is not defined at line 2, column 3"):
        compiled(".a |\n  foo")


def test_a_variable_that_is_not_offered_is_not_defined() -> None:
    with pytest.raises(ExpressionFailed, match=r"\$secrets is not defined"):
        compiled("$secrets.token")


def test_a_constant_product_is_not_computed_while_compiling() -> None:
    expression = Expressions(RecordingEvaluator()).compile('"x" * 100000000 * 10', ())

    assert not expression.cheap
    assert expression.evaluate(None, {}) == "asked"


@pytest.mark.parametrize("source", ["." * 20_000, "[" * 500 + "]" * 500, "1+" * 1_500 + "1", "\0"])
def test_monstrous_texts_are_refused(source: str) -> None:
    with pytest.raises(ExpressionFailed):
        compiled(source)


def test_text_from_input_is_never_evaluated() -> None:
    template = Expressions().template({"a": "${ .x }", "b": "<${ .x }>"}, VARIABLES)

    rendered = template.render({"x": "${ $ENV } \\(env)"}, {})

    assert rendered == {"a": "${ $ENV } \\(env)", "b": "<${ $ENV } \\(env)>"}


@pytest.mark.parametrize(
    ("source", "result"), [("1, 2", 1), ("empty", None), (".[]", 7), ("first(empty)", None)]
)
def test_the_first_output_is_the_result_and_none_is_null(source: str, result: JsonValue) -> None:
    assert compiled(source).evaluate([7, 8], {}) == result


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (".a", 'Cannot index array with string ("a")'),
        (".[0].b", 'Cannot index number with string ("b")'),
        ('error("no")', "no"),
        (". + 1", r"array (\[1]) and number (1) cannot be added"),
    ],
)
def test_failures_speak_with_jqs_words(source: str, message: str) -> None:
    with pytest.raises(ExpressionFailed) as failure:
        compiled(source).evaluate([1], {})

    assert failure.value.message == message.replace("\\", "")


@pytest.mark.parametrize(
    "source",
    [
        ".",
        ".a.b",
        '.a == "x"',
        "$context.a | not",
        "{a: .b, c: [1, .d]}",
        ".items | map({id, name}) | sort_by(.id)",
        "[.items[] | select(.price > 3) | .id]",
        ".items | map(.price) | add",
        "to_entries | map(.key)",
        'with_entries(select(.key != "a"))',
        '"Hello \\(.name)"',
        "if .a then .b else .c end",
    ],
)
def test_everyday_expressions_are_cheap(source: str) -> None:
    assert compiled(source).cheap


@pytest.mark.parametrize(
    "source",
    [
        "repeat(1)",
        "[range(10)]",
        "..",
        "def f: f; f",
        "reduce .[] as $x (0; . + $x)",
        '"x" * .n',
        'test("a+")',
        '.a | gsub("a"; "b")',
        "[.[] + .[]]",
        "[.[] | {x: $context}]",
        "{a: .[], b: .[]}",
        "map(select(. == $input))",
        ".a - .b",
        "|".join(["[.,.]"] * 20),
        "|".join(["[.,.]"] * 20) + " | length",
        "|".join(["map([.,.])"] * 10),
        "|".join(["tojson"] * 9),
        "until(. > 1; .)",
        "[paths]",
        "walk(.)",
        "combinations",
        "limit(3; .[])",
        "implode",
        "getpath([.[]])",
        ". as $x | $x",
    ],
)
def test_what_may_run_long_or_grow_large_is_not_cheap(source: str) -> None:
    assert not Expressions(RecordingEvaluator()).compile(source, VARIABLES).cheap


def test_a_costly_expression_goes_to_the_evaluator_with_only_what_it_reads() -> None:
    evaluator = RecordingEvaluator()
    expression = Expressions(evaluator).compile("[..] | $input", VARIABLES)

    assert expression.evaluate({"a": 1}, {"input": 2, "context": "large"}) == "asked"

    source, variables, document = evaluator.asked[0]
    assert (source, variables) == ("[..] | $input", ("input",))
    assert msgspec.json.decode(document) == {"d": {"a": 1}, "v": {"input": 2}}


def test_a_cheap_expression_on_a_large_input_goes_to_the_evaluator() -> None:
    evaluator = RecordingEvaluator()
    expression = Expressions(evaluator).compile("map(.id)", VARIABLES)

    assert expression.evaluate([{"id": 1}], {}) == [1]
    assert expression.evaluate([{"id": "x" * 100}] * 1000, {}) == "asked"


def test_paths_stay_direct_whatever_the_size() -> None:
    large: JsonValue = {"a": {"b": ["x" * 100] * 100_000}}

    result = compiled(".a.b").evaluate_here(large, {})

    assert result is large["a"]["b"]  # type: ignore[index, call-overload]


def test_evaluating_here_asks_for_a_worker_instead_of_blocking() -> None:
    evaluator = RecordingEvaluator()
    expressions = Expressions(evaluator)

    with pytest.raises(NeedsWorker):
        expressions.compile("[..]", ()).evaluate_here({}, {})
    with pytest.raises(NeedsWorker):
        expressions.template({"a": ["${ [..] }"]}, ()).render_here({}, {})
    assert evaluator.asked == []


def test_sharing_structure_does_not_hide_the_size_of_a_result() -> None:
    doubled = " | ".join(["[., .]"] * 11)

    with pytest.raises(ExpressionFailed, match="larger than"):
        compiled(doubled).evaluate("x" * 10_000, {})


def test_too_large_inputs_are_refused_before_anything_runs() -> None:
    expressions = Expressions(RecordingEvaluator(), limits=ExpressionLimits(max_input=1_000))

    with pytest.raises(ExpressionFailed, match="input is larger"):
        expressions.compile("[..]", ()).evaluate("x" * 1_000, {})


def test_lone_surrogates_fail_as_expressions_do() -> None:
    with pytest.raises(ExpressionFailed):
        compiled("map(.)").evaluate(["\ud800"], {})


def test_compiled_expressions_are_kept() -> None:
    expressions = Expressions()

    assert expressions.compile(".a", VARIABLES) is expressions.compile(".a", VARIABLES)


def test_many_threads_may_share_an_expression() -> None:
    expression = compiled("map(.a) | add")
    results: list[JsonValue] = []

    def work() -> None:
        results.extend(expression.evaluate([{"a": n}, {"a": 1}], {}) == n + 1 for n in range(50))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [True] * 400
