"""A document of the right form may still make no sense: that is told before anything runs."""

import pytest

from tests.unit.workflow_service.definition.support import problems

OTHER = "{wait: PT1S}"


@pytest.mark.parametrize(
    ("body", "pointer", "part"),
    [
        ("do: [{a: {wait: PT1S, then: x}}]", "/do/0/a/then", "there is no task 'x' in this list"),
        ("do: [{order: {wait: PT1S, then: oder}}]", "/do/0/order/then", "did you mean 'order'?"),
        ("do: [{a: {wait: PT1S, then: c}}, {b: {do: [{c: {wait: PT1S}}]}}]", "/do/0/a/then",
         "the task 'c' is in another list (/do/1/b/do/0/c): 'then' can only go to a task of its own"),
        ("do: [{b: {do: [{c: {wait: PT1S, then: b}}]}}]", "/do/0/b/do/0/c/then", "in another list (/do/0/b)"),
        ("do: [{a: {switch: [{x: {then: y}}]}}]", "/do/0/a/switch/0/x/then", "no task 'y'"),
        ("do: [{a: {try: [], catch: {then: y}}}]", "/do/0/a/catch/then", "no task 'y'"),
        ("do: [{a: {fork: {branches: [{x: {wait: PT1S, then: y}}, {y: {wait: PT1S}}]}}}]",
         "/do/0/a/fork/branches/0/x/then", "must be continue, exit or end"),
        ("do: []\nuse: {functions: {f: {wait: PT1S, then: g}}}", "/use/functions/f/then", "must be continue, exit"),
        ("do: [{a: {switch: [{x: {then: end}}, {y: {then: exit}}]}}]", "/do/0/a/switch/1/y",
         "has no 'when', like /do/0/a/switch/0/x: one case can be the default"),
    ],
)  # fmt: skip
def test_flow_goes_only_where_it_can(body: str, pointer: str, part: str) -> None:
    found = problems(body)
    assert list(found) == [pointer]
    assert part in found[pointer]


@pytest.mark.parametrize(
    ("body", "pointer", "part"),
    [
        ("do: [{a: {raise: {error: gone}}}]", "/do/0/a/raise/error", "'gone' is not in use.errors: there are none"),
        ("do: [{a: {try: [], catch: {retry: tice}}}]\nuse: {retries: {twice: {delay: PT1S}}}",
         "/do/0/a/catch/retry", "'tice' is not in use.retries: did you mean 'twice'?"),
        ("do: [{a: {wait: PT1S, timeout: x}}]\nuse: {timeouts: {y: {after: PT1S}}}", "/do/0/a/timeout",
         "'x' is not in use.timeouts: there are: y"),
        ("do: []\ntimeout: x", "/timeout", "'x' is not in use.timeouts"),
        ("do: [{a: {call: http, with: {method: get, endpoint: {uri: 'https://a.b', authentication: {use: x}}}}}]",
         "/do/0/a/with/endpoint/authentication/use", "'x' is not in use.authentications"),
        ("do: [{a: {call: g}}]\nuse: {functions: {f: {wait: PT1S}}}", "/do/0/a/call", "'g' is not in use.functions"),
        ("do: [{a: {call: htp, with: {}}}]", "/do/0/a/call", "did you mean 'http'?"),
        ("do: []\nuse: {functions: {f: {call: f}}}", "/use/functions/f/call", "calls itself: f → f"),
        ("do: []\nuse: {functions: {f: {call: g}, g: {do: [{x: {call: f}}]}}}", "/use/functions/g/do/0/x/call",
         "the function calls itself: f → g → f"),
    ],
)  # fmt: skip
def test_what_is_named_must_be_there(body: str, pointer: str, part: str) -> None:
    found = problems(body)
    assert list(found) == [pointer]
    assert part in found[pointer]


def test_a_long_chain_of_functions_is_refused_and_does_no_harm() -> None:
    links = ", ".join(f"f{n}: {{call: f{n + 1}}}" for n in range(500))
    found = problems(f"do: []\nuse: {{functions: {{{links}, f500: {OTHER}}}}}")
    assert set(found.values()) == {"functions call each other more than 32 deep"}


@pytest.mark.parametrize(
    ("task", "pointer"),
    [
        ("{set: {a: [1, '${ .a | }']}}", "/set/a/1"),
        ("{set: '${ .a + }'}", "/set"),
        ("{set: {a: 'Hello ${ .b | }!'}}", "/set/a"),
        ("{wait: PT1S, if: '.a =='}", "/if"),
        ("{wait: PT1S, if: '${ .a == }'}", "/if"),
        ("{wait: '${ .a | }'}", "/wait"),
        ("{wait: PT1S, input: {from: '.a |'}}", "/input/from"),
        ("{wait: PT1S, output: {as: {x: '${ .a | }'}}}", "/output/as/x"),
        ("{wait: PT1S, export: {as: '.a |'}}", "/export/as"),
        ("{wait: PT1S, timeout: {after: '${ .a | }'}}", "/timeout/after"),
        ("{switch: [{x: {when: '.a |', then: end}}]}", "/switch/0/x/when"),
        ("{for: {in: '.a |'}, do: []}", "/for/in"),
        ("{for: {in: [1, '${ .a | }']}, do: []}", "/for/in/1"),
        ("{for: {in: .a}, while: '.a |', do: []}", "/while"),
        ("{try: [], catch: {when: '.a |'}}", "/catch/when"),
        ("{try: [], catch: {exceptWhen: '.a |'}}", "/catch/exceptWhen"),
        ("{try: [], catch: {retry: {when: '.a |'}}}", "/catch/retry/when"),
        ("{raise: {error: {type: '${ .a | }', status: 400}}}", "/raise/error/type"),
        (
            "{raise: {error: {type: 'https://a.b', status: 400, detail: '${ .a | }'}}}",
            "/raise/error/detail",
        ),
        ("{emit: {event: {with: {type: '${ .a | }'}}}}", "/emit/event/with/type"),
        ("{call: http, with: {method: get, endpoint: '${ .a | }'}}", "/with/endpoint"),
        (
            "{call: http, with: {method: get, endpoint: 'https://a.b', headers: {a: '${ .a | }'}}}",
            "/with/headers/a",
        ),
        (
            "{call: http, with: {method: get, endpoint: 'https://a.b', query: '${ .a | }'}}",
            "/with/query",
        ),
        (
            "{call: http, with: {method: get, endpoint: 'https://a.b', body: [{x: '${ .a | }'}]}}",
            "/with/body/0/x",
        ),
        ("{call: f, with: {x: '${ .a | }'}}", "/with/x"),
    ],
)
def test_jq_that_does_not_compile_is_told_with_its_place(task: str, pointer: str) -> None:
    found = problems(f"use: {{functions: {{f: {OTHER}}}}}\ndo: [{{t: {task}}}]")
    assert list(found) == [f"/do/0/t{pointer}"]
    assert "the expression does not compile: " in found[f"/do/0/t{pointer}"]


@pytest.mark.parametrize(
    "source", ["env", "$ENV.HOME", "input", 'import "a" as a; .', "halt", "$__loc__", "debug"]
)
def test_expressions_reach_nothing_outside(source: str) -> None:
    found = problems(f"do: [{{t: {{set: {{a: '${{ {source} }}'}}}}}}]")
    assert list(found) == ["/do/0/t/set/a"]


@pytest.mark.parametrize(
    ("task", "pointer", "part"),
    [
        (
            "{for: {in: .a, each: input}, do: []}",
            "/for/each",
            "$input is an argument of every expression",
        ),
        ("{for: {in: .a, at: workflow}, do: []}", "/for/at", "$workflow is an argument"),
        ("{for: {in: .a, each: $x}, do: []}", "/for/each", "write it without the $"),
        ("{for: {in: .a, each: 'a b'}, do: []}", "/for/each", "cannot be the name of a variable"),
        ("{for: {in: .a, each: ''}, do: []}", "/for/each", "cannot be the name of a variable"),
        ("{for: {in: .a, each: ENV}, do: []}", "/for/each", "cannot be the name"),
        ("{for: {in: .a, each: __x}, do: []}", "/for/each", "cannot be the name"),
        ("{for: {in: .a, each: index}, do: []}", "/for", "'each' and 'at' are both 'index'"),
        ("{try: [], catch: {as: context}}", "/catch/as", "$context is an argument"),
        ("{try: [], catch: {as: 1a}}", "/catch/as", "cannot be the name"),
    ],
)
def test_new_variables_have_names_that_can_be_used(task: str, pointer: str, part: str) -> None:
    found = problems(f"do: [{{t: {task}}}]")
    assert list(found) == [f"/do/0/t{pointer}"]
    assert part in found[f"/do/0/t{pointer}"]


@pytest.mark.parametrize(
    ("task", "pointer"),
    [
        ("{set: {a: '${ $item }'}}", "/set/a"),
        ("{for: {in: '$item'}, do: []}", "/for/in"),
        ("{for: {in: .a}, output: {as: '$item'}, do: []}", "/output/as"),
        ("{try: [{x: {set: {a: '${ $error }'}}}], catch: {}}", "/try/0/x/set/a"),
        ("{try: [], catch: {as: oops, when: '$error'}}", "/catch/when"),
        ("{try: [], output: {as: '$error'}, catch: {}}", "/output/as"),
        ("{set: {a: '${ $secret }'}}", "/set/a"),
    ],
)
def test_a_variable_is_known_only_where_it_lives(task: str, pointer: str) -> None:
    found = problems(f"do: [{{t: {task}}}]")
    assert list(found) == [f"/do/0/t{pointer}"]
    assert "is not defined" in found[f"/do/0/t{pointer}"]


@pytest.mark.parametrize(
    "body",
    [
        "do: [{t: {for: {in: .a}, while: '$item != $index', do: [{x: {set: {a: '${ $item + $index }'}}}]}}]",
        "do: [{t: {for: {in: .a, each: x}, do: [{u: {for: {in: $x, at: n}, do: [{v: {wait: PT1S, if: '$x + $n'}}]}}]}}]",
        "do: [{t: {try: [], catch: {as: e, when: $e.status, exceptWhen: $e.x, retry: {when: $e.y, exceptWhen: $e.z},"
        " do: [{x: {set: {a: '${ $e }'}}}]}}}]",
        "do: [{t: {for: {in: .a, each: x}, do: [{u: {try: [], catch: {do: [{v: {set: '${ [$x, $error] }'}}]}}}]}}]",
        "do: [{t: {set: '${ [$context, $input, $output, $secrets, $task, $workflow, $runtime, $authorization] }'}}]",
        "do: [{t: {for: {in: .a}, do: [{u: {for: {in: .b}, do: [{v: {set: '${ $item }'}}]}}]}}]",
    ],
)
def test_variables_are_known_in_all_that_is_within(body: str) -> None:
    assert problems(body) == {}


def test_a_function_sees_nothing_of_the_place_that_calls_it() -> None:
    found = problems("""
use: {functions: {f: {set: '${ $item }'}}}
do: [{t: {for: {in: .a}, do: [{x: {call: f}}]}}]
""")
    assert list(found) == ["/use/functions/f/set"]


def test_a_reusable_retry_is_read_with_the_variable_of_the_catch_that_names_it() -> None:
    use = "use: {retries: {r: {when: $oops.status}}}\n"
    assert problems(f"{use}do: [{{t: {{try: [], catch: {{as: oops, retry: r}}}}}}]") == {}
    found = problems(f"{use}do: [{{t: {{try: [], catch: {{retry: r}}}}}}]")
    assert list(found) == ["/use/retries/r/when"]


@pytest.mark.parametrize(
    ("use", "pointer"),
    [
        (
            "{errors: {e: {type: 'https://a.b', status: 400, title: '${ .a | }'}}}",
            "/use/errors/e/title",
        ),
        ("{retries: {r: {when: '.a |'}}}", "/use/retries/r/when"),
        ("{retries: {r: {delay: {seconds: -1}}}}", "/use/retries/r/delay"),
        ("{timeouts: {t: {after: {seconds: -1}}}}", "/use/timeouts/t/after"),
        (
            "{authentications: {a: {bearer: {token: '${ .a | }'}}}}",
            "/use/authentications/a/bearer/token",
        ),
        ("{functions: {f: {set: {a: '${ .a | }'}}}}", "/use/functions/f/set/a"),
    ],
)
def test_reusable_parts_are_checked_also_when_nothing_uses_them(use: str, pointer: str) -> None:
    assert list(problems(f"use: {use}\ndo: []")) == [pointer]


@pytest.mark.parametrize(
    ("task", "pointer", "part"),
    [
        ("{wait: {seconds: -1}}", "/wait", "seconds must not be negative"),
        ("{wait: P200Y}", "/wait", "at most 100 years"),
        ("{wait: {days: 99999}}", "/wait", "at most 100 years"),
        ("{wait: PT1S, timeout: {after: {hours: -1}}}", "/timeout/after", "must not be negative"),
        ("{try: [], catch: {retry: {limit: {attempt: {count: -1}}}}}", "/catch/retry/limit/attempt/count",
         "must not be negative"),
        ("{try: [], catch: {retry: {jitter: {from: PT2S, to: PT1S}}}}", "/catch/retry/jitter", "not be longer"),
        ("{try: [], catch: {errors: {with: {type: '${ .a }'}}}}", "/catch/errors/with/type", "use catch.when"),
        ("{set: .a}", "/set", "must be an object, or an expression in ${ }"),
        ("{emit: {event: {}}}", "/emit/event/with", "is required"),
        ("{emit: {event: {with: {type: a, orderId: 1}}}}", "/emit/event/with/orderId", "lower-case"),
        ("{emit: {event: {with: {type: a, specversion: '0.3'}}}}", "/emit/event/with/specversion", "must be 1.0"),
        ("{call: http, with: {method: 'a b', endpoint: 'https://a.b'}}", "/with/method", "must be an HTTP method"),
        ("{call: http, with: {method: connect, endpoint: 'https://a.b'}}", "/with/method", "asks for a tunnel"),
        ("{call: http, with: {method: get, endpoint: 'ftp://a.b'}}", "/with/endpoint", "ftp: is not called over HTTP"),
        ("{call: http, with: {method: get, endpoint: 'file:///etc/passwd'}}", "/with/endpoint", "not called over"),
        ("{call: http, with: {method: get, endpoint: /pets}}", "/with/endpoint", "nothing it could be relative to"),
        ("{call: http, with: {method: get, endpoint: 'https://a.b/{+x}'}}", "/with/endpoint", "{+x} is not supported"),
        ("{call: http, with: {method: get, endpoint: 'https://a.b', headers: {'a b': x}}}", "/with/headers/a b",
         "cannot be the name of a header"),
        ('{call: http, with: {method: get, endpoint: "https://a.b", headers: {a: "x\\r\\ny"}}}', "/with/headers/a",
         "line breaks"),
    ],
)  # fmt: skip
def test_values_that_can_never_work_are_refused(task: str, pointer: str, part: str) -> None:
    found = problems(f"do: [{{t: {task}}}]")
    assert list(found) == [f"/do/0/t{pointer}"]
    assert part in found[f"/do/0/t{pointer}"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("evaluate: {language: js}", "/evaluate/language"),
        ("input: {schema: {format: avro, document: {}}}", "/input/schema/format"),
    ],
)  # fmt: skip
def test_what_is_not_built_yet_is_refused_at_its_place(body: str, pointer: str) -> None:
    found = problems(f"do: []\n{body}")
    assert list(found) == [pointer]
    assert found[pointer].endswith("is not supported yet")


def test_all_problems_are_told_at_once() -> None:
    found = problems("""
timeout: gone
do:
  - a: {set: {x: "${ | }"}, then: nowhere}
  - b: {wait: soon}
  - c: {listen: {to: {one: {with: {type: '['}}}}}
  - d: {do: [{e: {raise: {error: gone}}}]}
""")
    assert set(found) == {
        "/timeout", "/do/0/a/then", "/do/0/a/set/x", "/do/1/b/wait", "/do/2/c/listen/to/one/with/type",
        "/do/3/d/do/0/e/raise/error",
    }  # fmt: skip


_CLIENT = "client: {id: c, secret: s}"


@pytest.mark.parametrize("scheme", ["oauth2", "oidc"])
@pytest.mark.parametrize(
    ("members", "place", "part"),
    [
        ("grant: client_credentials", "", "needs a secret"),
        ("grant: client_credentials, client: {secret: s}", "/client", "needs an id"),
        ("grant: client_credentials, client: {id: c}", "/client", "needs a secret"),
        (
            "grant: client_credentials, client: {id: c, authentication: client_secret_jwt}",
            "/client",
            "needs a secret",
        ),
        (
            "grant: client_credentials, client: {id: c, authentication: private_key_jwt}",
            "/client",
            "needs an assertion",
        ),
        (f"grant: password, username: ada, {_CLIENT}", "", "needs a password"),
        (f"grant: refresh_token, {_CLIENT}", "", "needs the refresh token"),
        (f"grant: authorization_code, {_CLIENT}", "", "needs the authorization code"),
        (
            f"grant: 'urn:ietf:params:oauth:grant-type:token-exchange', {_CLIENT}",
            "",
            "needs a subject",
        ),
    ],
)
def test_a_policy_for_tokens_must_have_what_its_grant_needs(
    scheme: str, members: str, place: str, part: str
) -> None:
    found = problems(
        f"do: []\nuse: {{authentications: {{a: {{{scheme}: {{authority: 'https://a.b', {members}}}}}}}}}"
    )

    assert list(found) == [f"/use/authentications/a/{scheme}{place}"]
    assert part in found[f"/use/authentications/a/{scheme}{place}"]


@pytest.mark.parametrize(
    "members",
    [
        f"grant: client_credentials, {_CLIENT}",
        "grant: client_credentials, client: {id: c, authentication: none}",
        "grant: client_credentials, client: {authentication: none}",
        "grant: client_credentials, client: {id: c, authentication: private_key_jwt, assertion: x}",
        "grant: client_credentials, client: {id: c, authentication: private_key_jwt, secret: x}",
        "grant: client_credentials, client: {id: c, authentication: client_secret_jwt, assertion: x}",
        f"grant: password, username: ada, password: '${{ .p }}', {_CLIENT}",
        f"grant: refresh_token, subject: {{token: '${{ .t }}', type: refresh_token}}, {_CLIENT}",
    ],
)
def test_a_policy_for_tokens_that_has_all_is_accepted(members: str) -> None:
    use = f"use: {{authentications: {{a: {{oauth2: {{authority: 'https://a.b/{{realm}}', {members}}}}}}}}}"
    assert problems(f"do: []\n{use}") == {}


def test_the_address_of_an_authority_has_simple_variables_only() -> None:
    policy = f"{{authority: 'https://a.b/{{+x}}', endpoints: {{token: '/{{+y}}'}}, grant: client_credentials, {_CLIENT}}}"
    found = problems(f"do: []\nuse: {{authentications: {{a: {{oauth2: {policy}}}}}}}")

    place = "/use/authentications/a/oauth2"
    assert set(found) == {f"{place}/authority", f"{place}/endpoints/token"}
