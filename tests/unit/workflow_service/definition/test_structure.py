"""A document without the standard's form is refused with one clear sentence per mistake, at its place."""

import pytest

from tests.unit.workflow_service.definition.support import EXPRESSIONS, HEAD, problems, read
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.definition.validation import check_document

ANY_TASK = "call, do, emit, for, fork, listen, raise, run, set, switch, try, wait"


@pytest.mark.parametrize(
    ("task", "pointer", "message"),
    [
        ("{call: http, with: {endpoint: 'https://a.b'}}", "/with/method", "is required"),
        ("{call: http}", "/with", "is required"),
        ("{call: http, with: {method: get, endpoint: 'https://a.b', nope: 1}}", "/with/nope",
         "is not known here: there are: body, endpoint, headers, method, output, query, redirect"),
        ("{call: http, with: {method: get, endpoint: 'https://a.b', outptu: raw}}", "/with/outptu",
         "is not known here: did you mean 'output'?"),
        ("{call: http, with: {method: get, endpoint: 'https://a.b', output: json}}", "/with/output",
         "must be one of: raw, content, response"),
        ("{call: http, with: {method: get, endpoint: 'a b'}}", "/with/endpoint",
         "must be a URI such as https://example.com/{id}, an expression in ${ }, or an object with 'uri'"),
        ("{call: http, with: {method: get, endpoint: {uri: 'a b'}}}", "/with/endpoint/uri",
         "must be a URI such as https://example.com/{id}"),
        ("{call: http, with: {method: get, endpoint: {uri: 'https://a.b', authentication: {basic: {username: a}}}}}",
         "/with/endpoint/authentication/basic", "must have one of: password, use"),
        ("{call: http, with: {method: get, endpoint: {uri: 'https://a.b', authentication: {basic: {username: 1}}}}}",
         "/with/endpoint/authentication/basic/password", "is required"),
        ("{call: http, with: {method: get, endpoint: 'https://a.b', headers: {a: []}}}", "/with/headers/a",
         "must be a boolean or a number or a string, not an array"),
        ("{call: 3}", "/call", "must be a string, not a number: put it in quotes"),
        ("{set: {}}", "/set", "must have at least one member"),
        ("{set: 3}", "/set", "must be an object or a string, not a number"),
        ("{set: {a: 1}, timeout: {after: {hours: x}}}", "/timeout/after/hours",
         "must be a whole number, not a string"),
        ("{set: {a: 1}, timeout: {after: {hours: 1.5}}}", "/timeout/after/hours",
         "must be a whole number, not a number with a fraction"),
        ("{set: {a: 1}, if: true}", "/if", "must be a string, not a boolean: put it in quotes"),
        ("{set: {a: 1}, tiemout: {after: PT1S}}", "/tiemout", "is not known here: did you mean 'timeout'?"),
        ("{set: {a: 1}, input: {schema: {}}}", "/input/schema", "must have one of: document, resource"),
        ("{wait: 10 seconds}", "/wait",
         "must be a duration: ISO 8601 such as PT15M, an object such as {minutes: 15}, or an expression in ${ }"),
        ("{wait: [1]}", "/wait",
         "must be a duration: ISO 8601 such as PT15M, an object such as {minutes: 15}, or an expression in ${ }"),
        ("{wait: {fortnights: 1}}", "/wait/fortnights",
         "is not known here: there are: days, hours, milliseconds, minutes, seconds"),
        ("{switch: []}", "/switch", "must have at least one entry"),
        ("{switch: [{a: {when: .x}}]}", "/switch/0/a/then", "is required"),
        ("{switch: [{a: {then: end}, b: {then: end}}]}", "/switch/0",
         "must have one member only: write each task as a list entry of its own"),
        ("{for: {in: 3}, do: []}", "/for/in", "must be a string or an array, not a number"),
        ("{for: {each: a}, do: []}", "/for/in", "is required"),
        ("{for: {in: .a}}", "/do", "is required"),
        ("{fork: {branches: {}}}", "/fork/branches", "must be an array, not an object"),
        ("{emit: {event: {with: {source: 'https://a.b'}}}}", "/emit/event/with/type", "is required"),
        ("{raise: {error: {type: 'a b', status: 400}}}", "/raise/error/type",
         "must be a URI such as https://example.com/{id}"),
        ("{raise: {error: {status: 400}}}", "/raise/error/type", "is required"),
        ("{try: []}", "/catch", "is required"),
        ("{try: [], catch: {errors: {with: {}}}}", "/catch/errors/with", "must have at least one member"),
        ("{try: [], catch: {errors: {with: {code: 3}}}}", "/catch/errors/with/code",
         "is not known here: there are: detail, details, instance, status, title, type"),
        ("{try: [], catch: {retry: {backoff: {}}}}", "/catch/retry/backoff",
         "must have one of: constant, exponential, linear"),
        ("{try: [], catch: {retry: {backoff: {linear: {}, constant: {}}}}}", "/catch/retry/backoff",
         "is ambiguous: leave out all but one of its alternatives"),
        ("{try: [], catch: {retry: {limit: {attempt: {count: x}}}}}", "/catch/retry/limit/attempt/count",
         "must be a whole number, not a string"),
        ("{run: {}}", "/run", "must have one of: container, script, shell, workflow"),
        ("{}", "", f"has no kind: a task has exactly one of {ANY_TASK}"),
        ("{sett: {a: 1}}", "", f"has no kind: a task has exactly one of {ANY_TASK} ('sett' is none of them; did"
         " you mean 'set'?)"),
        ("{set: {a: 1}, wait: PT1S}", "", f"is set and wait at once: a task has exactly one of {ANY_TASK}"),
    ],
)  # fmt: skip
def test_a_malformed_task_has_one_problem_where_it_is_wrong(
    task: str, pointer: str, message: str
) -> None:
    found = problems(f"do: [{{t: {task}}}]")
    assert found.get(f"/do/0/t{pointer}") == message
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        ("{}", "/do", "is required"),
        ("do: {a: {wait: PT1S}}", "/do", "must be an array, not an object"),
        ("do: [{a: {wait: PT1S}, b: {wait: PT1S}}]", "/do/0",
         "must have one member only: write each task as a list entry of its own"),
        ("do: [{a: 3}]", "/do/0/a", "must be an object, not a number"),
        ("do: [{}]", "/do/0", "must have at least one member"),
        ("do: []\nfoo: 1", "/foo", None),
        ("do: []\ntimeout: {after: 3}", "/timeout/after", None),
        ("do: []\nschedule: {read: data}", "/schedule/on", "is required"),
        ("do: []\nuse: {retries: {r: {delay: x}}}", "/use/retries/r/delay", None),
        ("do: []\nuse: {functions: {f: {sett: 1}}}", "/use/functions/f", None),
        ("do: []\nuse: {authentications: {a: {}}}", "/use/authentications/a",
         "must have one of: basic, bearer, digest, oauth2, oidc, certificate"),
        ("do: []\nevaluate: {mode: lax}", "/evaluate/mode", "must be one of: strict, loose"),
    ],
)  # fmt: skip
def test_the_rest_of_the_document_is_checked_as_well(
    body: str, pointer: str, message: str | None
) -> None:
    found = problems(body if body != "{}" else "")
    assert pointer in found
    assert message in (None, found[pointer])


@pytest.mark.parametrize(
    ("head", "pointer", "part"),
    [
        ("{}", "/document/dsl", "is required"),
        ("{dsl: 1.0, namespace: a, name: b, version: '1.0.0'}", "/document/dsl", "put it in quotes"),
        ("{dsl: '1.0.3', namespace: a_b, name: b, version: '1.0.0'}", "/document/namespace", "letters, digits"),
        ("{dsl: '1.0.3', namespace: a, name: -b, version: '1.0.0'}", "/document/name", "letters, digits"),
        ("{dsl: '1.0.3', namespace: a, name: b, version: '1.0'}", "/document/version", "semantic version"),
        ("{dsl: '1.0.3', namespace: a, name: b, version: '1.0.0', x: 1}", "/document/x", "is not known here"),
        ("{dsl: '1.1.0', namespace: a, name: b, version: '1.0.0'}", "/document/dsl", "reads DSL 1.0.x"),
        ("{dsl: '1.0.0-alpha5', namespace: a, name: b, version: '1.0.0'}", "/document/dsl", "DSL 1.0.x"),
        ("{dsl: '0.8.0', namespace: a, name: b, version: '1.0.0'}", "/document/dsl", "DSL 1.0.x"),
        (f"{{dsl: '1.0.3', namespace: a, name: b, version: '1.0.0-{'a' * 130}'}}", "/document/version",
         "at most 128 characters"),
    ],
)  # fmt: skip
def test_the_head_is_checked(head: str, pointer: str, part: str) -> None:
    found = check_document(read(f"document: {head}\ndo: []"), EXPRESSIONS)
    assert part in {problem.field: problem.message for problem in found}[pointer]


@pytest.mark.parametrize("dsl", ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.10"])
def test_every_dsl_of_version_1_0_is_understood(dsl: str) -> None:
    document = read(f"document: {{dsl: {dsl}, namespace: a, name: b, version: 1.0.0}}\ndo: []")
    assert check_document(document, EXPRESSIONS) == []


@pytest.mark.parametrize(
    "document", ["3", "[]", "null", "text", "{}", "{document: [], do: 3, use: 1}"]
)
def test_what_is_no_definition_at_all_is_told_so(document: str) -> None:
    assert check_document(read(document), EXPRESSIONS)


def test_a_mistake_deep_inside_does_not_hide_the_others() -> None:
    found = problems("""
do:
  - outer:
      for: {in: .a, wrong: 1}
      do:
        - inner: {try: [{deep: {set: {}}}], catch: {do: [{deeper: {wait: x}}]}}
        - then: {fork: {branches: [{x: {call: http}}]}}
""")
    assert list(found) == [
        "/do/0/outer/for/wrong",
        "/do/0/outer/do/0/inner/try/0/deep/set",
        "/do/0/outer/do/0/inner/catch/do/0/deeper/wait",
        "/do/0/outer/do/1/then/fork/branches/0/x/with",
    ]


def test_names_in_one_list_must_differ() -> None:
    found = problems("do: [{a: {wait: PT1S}}, {a: {do: [{a: {wait: PT1S}}]}}]")
    assert found == {
        "/do/1/a": "has the same name as /do/0/a: the names in a list must differ",
    }


@pytest.mark.parametrize(
    ("body", "limits", "pointer", "part"),
    [
        ("do: [{a: {wait: PT1S}}, {b: {do: [{c: {wait: PT1S}}]}}]", DefinitionLimits(tasks=2), "", "has 3 tasks"),
        ("do: [{a: {do: [{b: {do: [{c: {wait: PT1S}}]}}]}}]", DefinitionLimits(nesting=2),
         "/do/0/a/do/0/b/do/0/c", "nested more than 2 tasks deep"),
        ("do: [{a: {fork: {branches: [{b: {wait: PT1S}}, {c: {wait: PT1S}}]}}}]", DefinitionLimits(fork_width=1),
         "/do/0/a/fork/branches", "has 2 branches"),
        ("do: [{a: {set: {x: '${ .a }', y: '${ .b }'}}}]", DefinitionLimits(expressions=1), "/do/0/a/set/y",
         "at most 1 expressions"),
        ("do: [{aaaa: {wait: PT1S}}]", DefinitionLimits(name_length=3), "/do/0/aaaa", "at most 3 characters"),
        ("do: [{a: {set: {x: [[[1]]]}}}]", DefinitionLimits(depth=6), "", "more than 6 levels deep"),
    ],
)  # fmt: skip
def test_every_limit_is_named_when_it_is_passed(
    body: str, limits: DefinitionLimits, pointer: str, part: str
) -> None:
    assert part in problems(body, limits)[pointer]


def test_many_problems_are_counted_and_not_all_listed() -> None:
    tasks = ", ".join(f"{{t{n}: {{wait: x}}}}" for n in range(50))
    found = check_document(
        read(f"{HEAD}\ndo: [{tasks}]"), EXPRESSIONS, limits=DefinitionLimits(problems=10)
    )
    assert len(found) == 10
    assert found[-1].message == "there are 41 more problems"


def test_of_a_huge_part_only_the_first_mistake_is_told() -> None:
    entries = ", ".join(f"e{n}: {{type: 3, status: x}}" for n in range(3000))
    found = problems(f"do: [{{t: {{wait: x}}}}]\nuse: {{errors: {{{entries}}}}}")
    assert len(found) == 2
    assert "/do/0/t/wait" in found


def test_functions_are_checked_like_other_tasks() -> None:
    found = problems("""
do: []
use: {functions: {f: {do: [{x: {set: {}}}, {x: {wait: PT1S}}]}, g: 3, h: {call: http}}}
""")
    assert set(found) == {
        "/use/functions/f/do/0/x/set", "/use/functions/f/do/1/x", "/use/functions/g", "/use/functions/h/with",
    }  # fmt: skip
