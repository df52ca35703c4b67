"""From sign-up to a durable workflow to a notification."""

import aiohttp
import pytest

from autoworker import Client, Conflict, InvalidRequest, NotFound, Unauthenticated
from tests.support.gateway_client import PASSWORD, Person, signed_up, told_about
from tests.support.suite import Suite

GREET = """
document: {dsl: 1.0.3, namespace: tests, name: greet, version: 1.0.0}
do:
  - greet:
      set: {greeting: '${ "Hello, \\(.name)!" }'}
  - pause:
      wait: {milliseconds: 50}
"""


async def test_a_newcomer_signs_up_runs_a_workflow_and_is_told_about_its_end(ada: Person) -> None:
    me = await ada.me()
    definition = await ada.publish(GREET)
    execution = await ada.start(definition.reference, {"name": "Ada"})
    types = [event.type async for event in ada.events(execution.id)]
    ended = await ada.get(execution.id)
    note = await told_about(ada, execution.id)

    assert (me.email, me.roles) == (ada.email, ["user"])
    assert types[0] == "io.autoworker.workflow.execution-accepted.v1"
    assert types[-1] == "io.serverlessworkflow.workflow.completed.v1"
    assert (ended.status, ended.output) == ("completed", {"greeting": "Hello, Ada!"})
    assert note.title


async def test_starting_answers_202_with_the_place_of_the_execution(
    suite: Suite, ada: Person
) -> None:
    definition = await ada.publish(GREET)
    tokens = await ada.login(ada.email, PASSWORD)
    body = {"workflow": {"namespace": definition.namespace, "name": definition.name}}
    async with aiohttp.ClientSession(
        suite.url, headers={"Authorization": f"Bearer {tokens.access_token}"}
    ) as http:
        async with http.post("/v1/executions", json=body) as answer:
            started = await answer.json()
            place = answer.headers["Location"]
        async with http.get(place) as found:
            execution = await found.json()

    assert answer.status == 202
    assert execution["id"] == started["id"]
    assert answer.headers["X-Request-Id"]


async def test_whoever_registers_is_welcomed(ada: Person) -> None:
    notes: list[str] = []
    while not notes:
        notes = [note.title async for note in ada.notifications()]

    assert len(notes) == 1


async def test_a_notification_is_marked_as_read(ada: Person) -> None:
    definition = await ada.publish(GREET)
    execution = await ada.start(definition.reference, {"name": "Ada"}, wait=10)
    note = await told_about(ada, execution.id)

    read = await ada.mark_read(note.id)

    assert read.read_at is not None
    assert note.id not in [left.id async for left in ada.notifications(unread=True)]


async def test_the_same_document_again_changes_nothing_and_another_one_is_a_conflict(
    ada: Person,
) -> None:
    first, again = await ada.publish(GREET), await ada.publish(GREET.encode())

    assert first == again
    with pytest.raises(Conflict):
        await ada.publish(GREET.replace("Hello", "Good day"))


async def test_a_wrong_document_is_refused_with_the_place_of_every_problem(ada: Person) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await ada.publish(
            {
                "document": {"dsl": "1.0.3", "namespace": "tests", "name": "x", "version": "1.0.0"},
                "do": [{"a": {"set": "${ .b | }"}}, {"c": {"wait": {"seconds": 1}, "then": "no"}}],
            }
        )

    assert refused.value.status == 422
    assert {detail.field for detail in refused.value.details} == {"/do/0/a/set", "/do/1/c/then"}
    assert refused.value.request_id


async def test_what_is_registered_can_be_found(ada: Person) -> None:
    definition = await ada.publish(GREET)

    listed = [found async for found in ada.definitions("tests", "greet")]
    shown = await ada.definition("tests/greet")

    assert definition.digest in {found.digest for found in listed}
    assert shown.document is not None
    assert shown.document["document"]["name"] == "greet"  # type: ignore[index,call-overload]


async def test_after_logout_the_session_is_dead(suite: Suite, ada: Person) -> None:
    tokens = await ada.login(ada.email, PASSWORD)
    async with Client(suite.url, token=tokens.access_token) as session:
        await session.me()
        await session.logout()

        with pytest.raises(Unauthenticated):
            await session.me()
        with pytest.raises(Unauthenticated):
            await session.refresh(tokens.refresh_token)


async def test_without_a_token_nothing_is_shown(suite: Suite) -> None:
    async with Client(suite.url) as nobody:
        with pytest.raises(Unauthenticated) as refused:
            await nobody.me()

    assert (refused.value.status, refused.value.code) == (401, "UNAUTHENTICATED")


async def test_an_address_can_be_registered_once(ada: Person) -> None:
    with pytest.raises(Conflict):
        await ada.register(ada.email.upper(), PASSWORD)


async def test_executions_of_others_do_not_exist(suite: Suite, ada: Person) -> None:
    definition = await ada.publish(GREET)
    execution = await ada.start(definition.reference, {"name": "Ada"}, wait=10)

    async with signed_up(suite.url, "Eve") as eve:
        for attempt in (eve.get, eve.explain, eve.cancel, eve.suspend, eve.resume, eve.retry):
            with pytest.raises(NotFound):
                await attempt(execution.id)
        with pytest.raises(NotFound):
            [_ async for _ in eve.history(execution.id)]
        with pytest.raises(NotFound):
            [_ async for _ in eve.events(execution.id)]
        assert [_ async for _ in eve.list()] == []


async def test_an_administrator_sees_what_others_run(suite: Suite, ada: Person) -> None:
    definition = await ada.publish(GREET)
    execution = await ada.start(definition.reference, {"name": "Ada"}, wait=10)

    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as administrator:
        seen = await administrator.get(execution.id)

    assert seen == execution
