"""Attack 16: somebody else's things, by id, through every route that the description of the API has."""

import msgspec

from tests.e2e.attacks.raw import Answer, Raw, raw
from tests.support.gateway_client import Person, in_phase, signed_up, told_about
from tests.support.suite import Suite

SLEEPER = """
document: {dsl: 1.0.3, namespace: attacks, name: sleeper, version: 1.0.0}
do:
  - rest: {wait: {hours: 1}}
"""
QUICK = """
document: {dsl: 1.0.3, namespace: attacks, name: quick, version: 1.0.0}
do:
  - one: {set: {canary: "adas-own-secret-output"}}
"""
VERBS = ("get", "put", "post", "patch", "delete")
PERSONAL = ("/v1/executions/", "/v1/notifications/", "/v1/secrets/")
"""What is a person's; the tenant sees definitions and schedules, administrators the rest."""
NOBODYS = "01a1fdb5-c362-7000-bffd-000000000000"


async def routes(api: Raw) -> list[tuple[str, str]]:
    """Method and template of every route with an id in it; what ends things comes last."""
    paths = (await api("GET", "/openapi.json")).json["paths"]
    found = [
        (verb.upper(), path)
        for path, verbs in paths.items()
        for verb in VERBS
        if verb in verbs and "{" in path and path.startswith(PERSONAL)
        # Whoever sets a secret sets one of his own.
        if (verb, path) != ("put", "/v1/secrets/{name}")
    ]
    return sorted(found, key=lambda route: route[0] == "DELETE")


async def ask(api: Raw, verb: str, template: str, identity: str) -> Answer:
    path = template.partition("{")[0] + identity + template.partition("}")[2]
    if verb == "GET":
        return await api(verb, path)
    return await api(verb, path, b"{}", Content_Type="application/json")


def told(answer: Answer) -> dict[str, object]:
    """The error without what differs from request to request."""
    error: dict[str, object] = answer.json["error"]
    return {name: value for name, value in error.items() if name not in ("timestamp", "request_id")}


async def test_other_peoples_things_do_not_exist_and_do_not_change(
    suite: Suite, ada: Person
) -> None:
    await ada.publish(SLEEPER)
    sleeping = await ada.start("attacks/sleeper", tags={"mine": "yes"})
    await in_phase(ada, sleeping.id, "waiting")
    await ada.publish(QUICK)
    done = await ada.start("attacks/quick", wait=20)
    note = await told_about(ada, done.id)
    await ada.set_secret("adas-own", "adas-own-value")
    key = await ada.create_api_key("adas-own", ["executions:read"])
    ids = {
        "executions": sleeping.id,
        "notifications": note.id,
        "secrets": "adas-own",
        "api-keys": key.id,
    }
    before = (await ada.get(sleeping.id), [e async for e in ada.history(sleeping.id)])

    async with signed_up(suite.url, "Eve") as eve, raw(suite.url, eve) as api:
        known = await routes(api)
        for verb, template in known:
            foreign = await ask(api, verb, template, ids[template.split("/")[2]])
            absent = await ask(api, verb, template, NOBODYS)
            assert foreign.status == 404, f"{verb} {template}: {foreign.body!r}"
            # Existence cannot be told from the words either.
            assert told(foreign) == told(absent), f"{verb} {template}"
            assert "adas-own" not in str(foreign.body)
        lists = [
            "/v1/executions", "/v1/executions?tag=mine", "/v1/executions?tag=mine=yes",
            "/v1/executions?name=sleeper", "/v1/notifications", "/v1/api-keys", "/v1/api-keys?all=true",
        ]  # fmt: skip
        for path in lists:
            answer = await api("GET", path)
            assert not {sleeping.id, done.id, note.id, key.id} & _ids(answer), path

    assert len(known) >= 8
    assert before == (await ada.get(sleeping.id), [e async for e in ada.history(sleeping.id)])
    assert [n.read_at async for n in ada.notifications() if n.id == note.id] == [None]


async def test_ones_own_things_answer_on_the_same_routes(suite: Suite, ada: Person) -> None:
    await ada.publish(QUICK)
    done = await ada.start("attacks/quick", wait=20)
    note = await told_about(ada, done.id)
    await ada.set_secret("adas-own", "adas-own-value")
    key = await ada.create_api_key("adas-own", ["executions:read"])
    ids = {
        "executions": done.id,
        "notifications": note.id,
        "secrets": "adas-own",
        "api-keys": key.id,
    }

    async with raw(suite.url, ada) as api:
        answers = {
            (verb, template): (await ask(api, verb, template, ids[template.split("/")[2]])).status
            for verb, template in await routes(api)
        }
        listed = _ids(await api("GET", "/v1/executions"))

    # What has ended cannot be cancelled: that is a conflict, and says that it is there.
    assert set(answers.values()) <= {200, 202, 204, 409}, answers
    assert done.id in listed


def _ids(answer: Answer) -> set[str]:
    assert answer.status == 200
    return {item["id"] for item in msgspec.json.decode(answer.body)["items"]}
