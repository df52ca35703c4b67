"""Secrets in workflows: decisions see markers, and what may not be used faults its task."""

from __future__ import annotations

import pytest

from tests.support.workflow_run import WorkflowRun, definition_of
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.execution.credentials import BasicCredentials, BearerCredentials
from workflow_service.domain.execution.effects import HttpCall
from workflow_service.domain.execution.lending import Lent

LENT = Lent(
    {"shop": {"username": "<user>", "password": "<password>"}, "token": "<token>"},
    {"gone": "there is no secret 'gone' that this execution may use"},
)
CALL = """
use: {{secrets: [shop, token, gone]}}
do:
  - ask:
      call: http
      with:
        method: get
        endpoint: {endpoint}
"""


def asked(text: str, lent: Lent = LENT) -> HttpCall:
    """The call that a workflow makes."""
    call = WorkflowRun(text, lent=lent).start().asked[0].call
    assert isinstance(call, HttpCall)
    return call


@pytest.mark.parametrize(
    ("policy", "credentials"),
    [
        ("{basic: {use: shop}}", BasicCredentials("<user>", "<password>")),
        ("{bearer: {use: token}}", BearerCredentials("<token>")),
        ("{bearer: {token: '${ $secrets.token }'}}", BearerCredentials("<token>")),
    ],
)
def test_credentials_come_from_secrets(policy: str, credentials: object) -> None:
    endpoint = "{uri: 'https://a.test/', authentication: " + policy + "}"

    assert asked(CALL.format(endpoint=endpoint)).credentials == credentials


def test_a_bearer_token_may_be_a_member() -> None:
    endpoint = "{uri: 'https://a.test/', authentication: {bearer: {use: shop}}}"
    lent = Lent({"shop": {"token": "<token>"}})

    assert asked(CALL.format(endpoint=endpoint), lent).credentials == BearerCredentials("<token>")


def test_an_effect_names_the_secrets_that_it_may_use() -> None:
    run = WorkflowRun(CALL.format(endpoint="https://a.test/"), lent=LENT).start()

    assert run.asked[0].secrets == ("shop", "token", "gone")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("do: [{t: {set: {a: '${ $secrets.token }'}}}]\noutput: {as: '${ .a }'}", None),
        ("input: {from: '${ {a: $secrets.token} }'}\ndo: [{t: {set: '${ .a }'}}]", None),
        ("do: [{t: {if: '${ $secrets.token != null }', set: '<token>'}}]", "loose"),
        ("do: [{t: {input: {from: '${ $secrets.token }'}, set: '${ . }'}}]", None),
        ("do: [{t: {set: {x: 1}, output: {as: '${ $secrets.token }'}}}]", None),
        ("do: [{t: {set: {x: 1}, export: {as: '${ $secrets.token }'}}}, {u: {set: '${ $context }'}}]", None),
        ("do: [{t: {set: {x: 1}}}]\noutput: {as: '${ $secrets.token }'}", None),
    ],
)  # fmt: skip
def test_every_expression_of_the_table_may_read_them(body: str, place: str | None) -> None:
    mode = "evaluate: {mode: loose}\n" if place == "loose" else ""
    run = WorkflowRun(f"{mode}use: {{secrets: [token]}}\n{body}", lent=LENT).start()

    assert run.output == "<token>"


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("$secrets.gone", "there is no secret 'gone'"),
        ("$secrets.gone.password", "there is no secret 'gone'"),
        ("$secrets.other", "'other' is not in use.secrets"),
        ("[$secrets[]]", "there is no secret 'gone'"),
    ],
)
def test_a_secret_that_may_not_be_used_faults_the_task(expression: str, detail: str) -> None:
    text = f"use: {{secrets: [gone]}}\ndo: [{{t: {{set: {{a: '${{ {expression} }}'}}}}}}]"
    run = WorkflowRun(text, lent=LENT).start()

    assert run.status == "faulted"
    assert run.error.type.endswith("/errors/authorization")
    assert (run.error.status, run.error.instance) == (403, "/do/0/t")
    assert detail in str(run.error.detail)


def test_only_those_that_are_read_need_to_be_there() -> None:
    text = "use: {secrets: [token, gone]}\ndo: [{t: {set: {a: '${ $secrets.token }'}}}]"

    assert WorkflowRun(text, lent=LENT).start().output == {"a": "<token>"}


def test_the_fault_can_be_caught_and_handled() -> None:
    text = """
use: {secrets: [gone]}
do:
  - guarded:
      try: [{t: {set: {a: '${ $secrets.gone }'}}}]
      catch: {errors: {with: {status: 403}}, do: [{u: {set: {a: none}}}]}
"""
    assert WorkflowRun(text, lent=LENT).start().output == {"a": "none"}


def test_computing_with_a_secret_is_refused_with_the_way_out() -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        definition_of("do: [{t: {set: {a: '${ $secrets.a | @base64 }'}}}]")

    (problem,) = refused.value.details
    assert problem.field == "/do/0/t/set/a"
    assert "authentication" in problem.message


def test_a_condition_that_computes_with_a_secret_is_refused() -> None:
    with pytest.raises(DefinitionInvalid):
        definition_of("do: [{t: {if: '${ $secrets.a == .b }', set: {x: 1}}}]")
    definition_of("do: [{t: {if: '${ .a == .b }', set: {x: 1}}}]")
