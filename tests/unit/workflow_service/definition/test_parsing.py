"""A right document becomes the definition that the engine runs."""

from typing import Any

import pytest

from tests.unit.workflow_service.definition.support import EXPRESSIONS, HEAD, parse, read, task
from workflow_service.domain.definition.documents import digest_of
from workflow_service.domain.definition.model import (
    NO_DATA_FLOW,
    BasicAuthentication,
    BearerAuthentication,
    CallFunctionTask,
    CallHttpTask,
    Definition,
    DoTask,
    EmitTask,
    ErrorFilter,
    FixedDuration,
    ForkTask,
    ForTask,
    RaiseTask,
    SetTask,
    SwitchTask,
    TryTask,
    WaitTask,
)
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.expressions import Expression, JsonValue, Template

COMMUNICATION = "https://serverlessworkflow.io/spec/1.0.0/errors/communication"


def value(
    template: Template | None, document: JsonValue = None, **arguments: JsonValue
) -> JsonValue:
    """What *template* renders to."""
    assert template is not None
    return template.render(document, arguments)


def result(
    expression: Expression | Template | None, document: JsonValue = None, **arguments: Any
) -> JsonValue:
    """What *expression* comes to."""
    assert isinstance(expression, Expression)
    return expression.evaluate(document, arguments)


def test_the_head_says_who_the_definition_is() -> None:
    document = read("""
document: {dsl: 1.0.3, namespace: shop, name: order, version: 1.2.3, title: Orders, summary: All of them}
do: []
""")
    definition = parse_definition(document, EXPRESSIONS)
    assert (definition.namespace, definition.name, definition.version) == ("shop", "order", "1.2.3")
    assert (definition.title, definition.summary) == ("Orders", "All of them")
    assert definition.digest == digest_of(document)
    assert definition.document == document
    assert definition.do.tasks == ()
    assert definition.data_flow is NO_DATA_FLOW


def test_references_are_json_pointers_with_the_names_of_the_tasks() -> None:
    definition = parse("""
use: {functions: {f: {do: [{in: {wait: PT1S}}]}}}
do:
  - setRed: {set: {color: red}}
  - loop: {for: {in: .a}, do: [{x: {wait: PT1S}}]}
  - f: {fork: {branches: [{b: {wait: PT1S}}]}}
  - t: {try: [{x: {wait: PT1S}}], catch: {do: [{x: {wait: PT1S}}]}}
  - a/b~c: {do: [{y: {call: f}}]}
""")
    assert set(definition.tasks) == {
        "/do/0/setRed",
        "/do/1/loop", "/do/1/loop/do/0/x",
        "/do/2/f", "/do/2/f/fork/branches/0/b",
        "/do/3/t", "/do/3/t/try/0/x", "/do/3/t/catch/do/0/x",
        "/do/4/a~1b~0c", "/do/4/a~1b~0c/do/0/y",
        "/use/functions/f", "/use/functions/f/do/0/in",
    }  # fmt: skip
    assert set(definition.lists) == {
        "/do", "/do/1/loop/do", "/do/2/f/fork/branches", "/do/3/t/try", "/do/3/t/catch/do",
        "/do/4/a~1b~0c/do", "/use/functions/f/do",
    }  # fmt: skip
    assert all(task.reference == reference for reference, task in definition.tasks.items())
    assert definition.do.positions == {"setRed": 0, "loop": 1, "f": 2, "t": 3, "a/b~c": 4}
    assert definition.tasks["/do/0/setRed"].document == {"set": {"color": "red"}}


def test_what_every_task_has_is_read() -> None:
    found = parse("""
use: {timeouts: {short: {after: PT5S}}}
timeout: short
input: {from: .order}
output: {as: {done: '${ .x }'}, schema: {document: {type: object}}}
do:
  - a:
      set: {x: 1}
      if: .go
      input: {from: '${ .a }', schema: {document: {type: object}}}
      output: {as: .b}
      export: {as: '$context + .', schema: {format: json, document: true}}
      timeout: {after: {minutes: 2}}
      then: b
  - b: {set: '${ .c }', timeout: short, then: end}
""")
    assert found.timeout == FixedDuration(5.0)
    assert value(found.data_flow.input_from, {"order": 7}) == 7
    assert value(found.data_flow.output_as, {"x": 1}) == {"done": 1}
    assert found.data_flow.output_schema is not None
    first, second = found.do.tasks
    assert result(first.condition, {"go": True}) is True
    assert value(first.data_flow.input_from, {"a": 1}) == 1
    assert value(first.data_flow.output_as, {"b": 2}) == 2
    assert value(first.data_flow.export_as, {"c": 3}, context={"d": 4}) == {"c": 3, "d": 4}
    assert first.data_flow.input_schema is not None
    assert first.data_flow.input_schema.problem({}) is None
    assert first.data_flow.input_schema.problem(3) == '3 is not of type "object"'
    assert first.data_flow.export_schema is not None
    assert (first.timeout, first.then) == (FixedDuration(120.0), "b")
    assert (second.timeout, second.then) == (FixedDuration(5.0), "end")
    assert second.data_flow is NO_DATA_FLOW


def test_do_and_set_and_wait_are_read() -> None:
    found = task(
        "{do: [{a: {set: {x: '${ .y }', z: [1, '${ .y }']}}}, {b: {wait: PT1M}}, {c: {wait: '${ .w }'}}]}"
    )
    assert isinstance(found, DoTask)
    first, second, third = found.do.tasks
    assert isinstance(first, SetTask)
    assert value(first.value, {"y": 5}) == {"x": 5, "z": [1, 5]}
    assert isinstance(second, WaitTask)
    assert second.duration == FixedDuration(60.0)
    assert isinstance(third, WaitTask)
    assert isinstance(third.duration, Template)
    assert value(third.duration, {"w": "PT1S"}) == "PT1S"


def test_switch_is_read() -> None:
    found = task(
        "{switch: [{a: {when: .x == 1, then: exit}}, {b: {when: '${ .y }', then: t}}, {c: {then: end}}]}"
    )
    assert isinstance(found, SwitchTask)
    assert [(case.name, case.then) for case in found.cases] == [
        ("a", "exit"),
        ("b", "t"),
        ("c", "end"),
    ]
    assert result(found.cases[0].when, {"x": 1}) is True
    assert found.cases[2].when is None


def test_for_is_read_with_its_defaults_and_with_inline_items() -> None:
    found = task("{for: {in: .items}, while: $index < 2, do: [{a: {set: '${ $item }'}}]}")
    assert isinstance(found, ForTask)
    assert (found.each, found.at) == ("item", "index")
    assert result(found.collection, {"items": [1]}) == [1]
    assert result(found.while_condition, None, index=1) is True
    inline = task("{for: {each: pet, at: n, in: [{a: 1}, '${ .x }', 3]}, do: []}")
    assert isinstance(inline, ForTask)
    assert (inline.each, inline.at, inline.while_condition) == ("pet", "n", None)
    assert isinstance(inline.collection, Template)
    assert value(inline.collection, {"x": 2}) == [{"a": 1}, 2, 3]


def test_fork_is_read() -> None:
    found = task(
        "{fork: {compete: true, branches: [{a: {wait: PT1S}}, {b: {wait: PT1S, then: end}}]}}"
    )
    assert isinstance(found, ForkTask)
    assert found.compete
    assert [branch.name for branch in found.branches.tasks] == ["a", "b"]
    assert not task("{fork: {branches: []}}").compete  # type: ignore[union-attr]


def test_try_is_read() -> None:
    found = task("""
      {try: [{a: {wait: PT1S}}],
       catch: {as: oops, when: $oops.status > 1, exceptWhen: .x, then: exit, do: [{h: {set: '${ $oops }'}}],
         errors: {with: {type: 'https://serverlessworkflow.io/dsl/errors/types/communication', status: 503,
                         instance: /do/0, title: T, detail: D}},
         retry: {when: $oops.status == 503, exceptWhen: .y, delay: {seconds: 3}, backoff: {exponential: {}},
           limit: {attempt: {count: 5, duration: PT1M}, duration: PT1H}, jitter: {from: PT0S, to: PT1S}}}}""")
    assert isinstance(found, TryTask)
    catch = found.catch
    assert [inner.name for inner in found.attempt.tasks] == ["a"]
    assert catch.errors == ErrorFilter(COMMUNICATION, 503, "/do/0", "T", "D")
    assert (catch.error_variable, catch.then) == ("oops", "exit")
    assert result(catch.when, None, oops={"status": 2}) is True
    assert result(catch.except_when, {"x": 1}) == 1
    assert catch.do is not None
    assert catch.do.reference == "/do/0/t/catch/do"
    retry = catch.retry
    assert retry is not None
    assert result(retry.when, None, oops={"status": 503}) is True
    assert (retry.delay, retry.backoff, retry.max_retries) == (FixedDuration(3.0), "exponential", 5)
    assert (retry.attempt_duration, retry.total_duration) == (
        FixedDuration(60.0),
        FixedDuration(3600.0),
    )
    assert retry.jitter == (FixedDuration(0.0), FixedDuration(1.0))


def test_an_empty_catch_catches_everything_once() -> None:
    found = task("{try: [], catch: {}}")
    assert isinstance(found, TryTask)
    catch = found.catch
    assert (catch.errors, catch.error_variable, catch.retry, catch.do, catch.then) == (
        None,
        "error",
        None,
        None,
        None,
    )


@pytest.mark.parametrize("name", ["detail", "details"])
def test_both_names_of_the_detail_of_an_error_filter_are_known(name: str) -> None:
    found = task(f"{{try: [], catch: {{errors: {{with: {{{name}: D}}}}}}}}")
    assert isinstance(found, TryTask)
    assert found.catch.errors == ErrorFilter(detail="D")


@pytest.mark.parametrize("kind", ["constant", "linear", "exponential"])
def test_retry_policies_can_be_shared(kind: str) -> None:
    found = task(
        "{try: [], catch: {retry: r}}", f"{{retries: {{r: {{backoff: {{{kind}: {{}}}}}}}}}}"
    )
    assert isinstance(found, TryTask)
    assert found.catch.retry is not None
    assert found.catch.retry.backoff == kind
    assert found.catch.retry.delay is None


def test_raise_is_read_with_errors_of_its_own_and_shared_ones() -> None:
    found = task(
        "{raise: {error: {type: /dsl/errors/types/timeout, status: 408, title: '${ .t }', instance: /x}}}"
    )
    assert isinstance(found, RaiseTask)
    assert value(found.error.type) == "https://serverlessworkflow.io/spec/1.0.0/errors/timeout"
    assert (value(found.error.status), value(found.error.title, {"t": "T"})) == (408, "T")
    assert value(found.error.instance) == "/x"
    assert found.error.detail is None
    shared = task("{raise: {error: e}}", "{errors: {e: {type: '${ .kind }', status: 400}}}")
    assert isinstance(shared, RaiseTask)
    assert value(shared.error.type, {"kind": "K"}) == "K"


def test_emit_is_read_without_a_source_too() -> None:
    found = task(
        "{emit: {event: {with: {type: com.shop.placed, data: {id: '${ .id }'}, region: eu}}}}"
    )
    assert isinstance(found, EmitTask)
    assert value(found.event, {"id": 7}) == {
        "type": "com.shop.placed",
        "data": {"id": 7},
        "region": "eu",
    }


def test_an_http_call_is_read() -> None:
    found = task("""
      {call: http, with: {method: post, endpoint: {uri: 'https://a.b/{id}', authentication: {use: a}},
        headers: {X-A: '${ .h }', X-N: 3, X-B: true}, query: {q: [1, '${ .q }']}, body: {x: '${ .b }'},
        output: response, redirect: true}}""", "{authentications: {a: {basic: {username: u, password: '${ .p }'}}}}")  # fmt: skip
    assert isinstance(found, CallHttpTask)
    assert (found.method, found.output, found.redirect) == ("POST", "response", True)
    assert value(found.endpoint) == "https://a.b/{id}"
    assert value(found.headers, {"h": "H"}) == {"X-A": "H", "X-N": 3, "X-B": True}
    assert value(found.query, {"q": 2}) == {"q": [1, 2]}
    assert value(found.body, {"b": 1}) == {"x": 1}
    assert isinstance(found.authentication, BasicAuthentication)
    assert value(found.authentication.password, {"p": "P"}) == "P"


def test_a_short_http_call_has_the_defaults_of_the_standard() -> None:
    found = task("{call: http, with: {method: get, endpoint: '${ .uri }'}}")
    assert isinstance(found, CallHttpTask)
    assert (found.headers, found.query, found.body, found.authentication) == (
        None,
        None,
        None,
        None,
    )
    assert (found.output, found.redirect) == ("content", False)
    assert value(found.endpoint, {"uri": "https://a.b"}) == "https://a.b"


def test_a_body_of_null_is_not_the_same_as_no_body() -> None:
    found = task("{call: http, with: {method: post, endpoint: 'https://a.b', body: null}}")
    assert isinstance(found, CallHttpTask)
    assert value(found.body) is None


def test_a_bearer_token_is_read() -> None:
    found = task(
        "{call: http, with: {method: get, endpoint: {uri: 'https://a.b', authentication: {bearer: {token: x}}}}}"
    )
    assert isinstance(found, CallHttpTask)
    assert isinstance(found.authentication, BearerAuthentication)
    assert value(found.authentication.token) == "x"


def test_a_function_call_carries_the_function() -> None:
    definition = parse("""
use: {functions: {add: {set: {sum: '${ .a + .b }'}}, twice: {do: [{x: {call: add, with: {a: 1, b: '${ .n }'}}}]}}}
do: [{t: {call: twice, with: {n: 2}}}, {u: {call: add}}]
""")
    first, second = definition.do.tasks
    assert isinstance(first, CallFunctionTask)
    assert (first.function, first.body.reference) == ("twice", "/use/functions/twice")
    assert value(first.arguments) == {"n": 2}
    assert isinstance(second, CallFunctionTask)
    assert second.arguments is None
    inner = definition.tasks["/use/functions/twice/do/0/x"]
    assert isinstance(inner, CallFunctionTask)
    assert inner.body is second.body


def test_loose_mode_takes_expressions_without_their_braces() -> None:
    found = parse(
        "evaluate: {mode: loose}\ndo: [{a: {set: {x: .y, z: not jq at all (}}}, {b: {set: .y}}]"
    )
    first, second = found.do.tasks
    assert isinstance(first, SetTask)
    assert value(first.value, {"y": 1}) == {"x": 1, "z": "not jq at all ("}
    assert isinstance(second, SetTask)
    assert value(second.value, {"y": 1}) == 1


def test_a_comment_does_not_swallow_the_end_of_a_bare_expression() -> None:
    found = task("{wait: PT1S, input: {from: '.a # the order'}}")
    assert value(found.data_flow.input_from, {"a": 1}) == 1


@pytest.mark.parametrize(
    ("source", "cheap"),
    [
        ("${ .a.b }", True),
        ("${ [range(1e9)] }", False),
        ("${ def f: f; f }", False),
        ("plain", True),
    ],
)
def test_a_definition_is_cheap_when_all_its_expressions_are(source: str, cheap: bool) -> None:
    assert parse(f"do: [{{a: {{do: [{{b: {{set: {{x: '{source}'}}}}}}]}}}}]").cheap is cheap
    assert (
        parse(
            f"do: [{{a: {{wait: PT1S, if: '{source.removeprefix('${').rstrip('}') if '{' in source else '.'}'}}}}]"
        ).cheap
        is cheap
    )


def test_a_wrong_document_raises_with_everything_that_is_wrong() -> None:
    with pytest.raises(DefinitionInvalid, match="the definition has 2 problems") as caught:
        parse("do: [{a: {wait: soon}}, {b: {listen: {to: {one: {with: {type: '['}}}}}}]")
    assert [detail.field for detail in caught.value.details] == [
        "/do/0/a/wait",
        "/do/1/b/listen/to/one/with/type",
    ]


def test_parsing_does_not_change_the_document() -> None:
    text = f"{HEAD}\nuse: {{errors: {{e: {{type: /dsl/errors/types/timeout, status: 408}}}}}}\ndo: [{{a: {{raise: {{error: e}}}}}}]"
    document = read(text)
    parsed = parse_definition(document, EXPRESSIONS)
    assert isinstance(parsed, Definition)
    assert document == read(text)
