"""Authentication through the real suite: tokens of a real authority open a real service, and nobody sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from autoworker import Execution
from tests.support.authority import CLIENT, SECRET, Authority, serving_tokens
from tests.support.gateway_client import Person
from tests.support.suite import Suite, started
from workflow_service.domain.expressions import JsonValue

HEAD = "document: {{dsl: 1.0.3, namespace: tests, name: {name}, version: 1.0.0}}\n"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_EGRESS_ALLOW="127.0.0.1",
        AUTOWORKER_ACCESS_LOG="on",
        AUTOWORKER_LOG_LEVEL="debug",
    ) as running:
        yield running


@pytest.fixture
async def authority() -> AsyncIterator[Authority]:
    async with serving_tokens() as authority:
        yield authority


async def ran(person: Person, name: str, body: str) -> Execution:
    """Publish, run, and come back once it has ended."""
    definition = await person.publish(HEAD.format(name=name) + body)
    begun = await person.start(definition.reference, {})
    return await person.wait(begun.id)


async def told(person: Person, execution: Execution) -> str:
    """All that anybody can read of an execution."""
    events = [event async for event in person.history(execution.id)]
    return msgspec.json.encode([events, await person.get(execution.id)]).decode()


async def test_a_policy_from_a_secret_opens_a_service_and_leaves_no_trace(
    ada: Person, authority: Authority, suite: Suite
) -> None:
    policy: dict[str, JsonValue] = {
        "authority": authority.url,
        "grant": "client_credentials",
        "client": {"id": CLIENT, "secret": SECRET},
    }
    await ada.set_secret("policy", policy)
    endpoint = f"{{uri: '{authority.url}/service', authentication: {{oidc: {{use: policy}}}}}}"

    ended = await ran(ada, "from-secret", f"""
use: {{secrets: [policy]}}
do:
- first: {{call: http, with: {{method: get, endpoint: {endpoint}, output: response}}}}
- again: {{call: http, with: {{method: get, endpoint: {endpoint}}}}}
""")  # fmt: skip

    assert ended.status == "completed", ended.error
    # Two calls, one token.
    assert len(authority.asked) == 1
    assert len(authority.called) == 2
    [token] = {each.removeprefix("Bearer ") for each in authority.called}
    assert token in authority.good
    shown = await told(ada, ended) + suite.err.read_text() + suite.out.read_text()
    assert token not in shown
    assert SECRET not in shown
    assert "Bearer ***" in shown


async def test_a_described_service_is_opened_with_what_the_task_has(
    ada: Person, authority: Authority
) -> None:
    policy = f"""{{oauth2: {{authority: '{authority.url}', grant: password, username: ada, password: lovelace,
      client: {{id: {CLIENT}, secret: '{SECRET}'}}}}}}"""
    authority.documents["/api"] = (
        "{openapi: 3.1.0, paths: {/service: {get: {operationId: serve, parameters: [{name: q, in: query}]}}}}"
    )

    ended = await ran(ada, "described", f"""
do:
- ask: {{call: openapi, with: {{document: {{endpoint: '{authority.url}/api'}}, operationId: serve,
    parameters: {{q: '1'}}, authentication: {policy}}}}}
""")  # fmt: skip

    assert ended.status == "completed", ended.error
    assert authority.asked[0]["username"] == "ada"


async def test_a_client_that_is_not_accepted_is_an_error_that_can_be_caught(
    ada: Person, authority: Authority
) -> None:
    policy = f"{{oauth2: {{authority: '{authority.url}', grant: client_credentials, client: {{id: {CLIENT}, secret: no-such}}}}}}"

    ended = await ran(ada, "refused", f"""
do:
- guard:
    try:
    - ask: {{call: http, with: {{method: get, endpoint: {{uri: '{authority.url}/service', authentication: {policy}}}}}}}
    catch:
      errors: {{with: {{type: https://serverlessworkflow.io/spec/1.0.0/errors/authentication, status: 401}}}}
      do: [{{told: {{set: {{refused: true}}}}}}]
""")  # fmt: skip

    assert ended.output == {"refused": True}
    assert authority.called == []
