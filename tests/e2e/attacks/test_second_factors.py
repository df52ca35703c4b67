"""Attack 14: getting past a second factor, and making somebody else pay for text messages."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.e2e.attacks.raw import Answer, Raw, raw
from tests.support.access import send
from tests.support.factors import App, Texts, details, enrol_app, post, texts
from tests.support.gateway_client import PASSWORD, Person, signed_up
from tests.support.http_session import http_session
from tests.support.suite import Suite, started

PER_TENANT = 25
PHONE = "+41441234567"


@pytest.fixture(scope="module")
def provider() -> Iterator[Texts]:
    """Takes text messages."""
    with texts() as taken:
        yield taken


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, provider: Texts) -> Iterator[Suite]:
    """A suite that can send text messages."""
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_INSECURE_DEV="1",
        AUTOWORKER_SMS_URL=provider.url,
        AUTOWORKER_SMS_TOKEN="sms-token",
        AUTOWORKER_MFA_CODES_PER_TENANT=str(PER_TENANT),
        AUTOWORKER_RATE_LIMIT="100000/60",
        AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
        AUTOWORKER_ANONYMOUS_RATE_LIMIT="100000/60",
    ) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Guarded:
    """Somebody with an app, and a stranger who knows the password."""

    person: Person
    api: Raw
    app: App
    recovery: list[str]
    stranger: Raw

    async def login(self, **more: object) -> Answer:
        body = {"email": self.person.email, "password": PASSWORD, **more}
        return await post(self.stranger, "/v1/auth/login", body)

    async def challenged(self) -> str:
        """The token of a login that waits."""
        answer = await self.login()
        assert (answer.status, answer.json["error"]["code"]) == (401, "MFA_REQUIRED")
        return details(answer)["mfa_token"]

    async def complete(self, token: str, code: str, method: str = "totp") -> Answer:
        body = {"mfa_token": token, "method": method, "code": code}
        return await post(self.stranger, "/v1/auth/mfa", body)


@asynccontextmanager
async def with_app(suite: Suite) -> AsyncIterator[Guarded]:
    async with (
        signed_up(suite.url) as person,
        raw(suite.url, person) as api,
        http_session(suite.url, skip_auto_headers=["Content-Type", "Accept-Encoding"]) as http,
    ):
        app, recovery = await enrol_app(api)
        yield Guarded(person, api, app, recovery, Raw(http))


@pytest.fixture
async def ada(suite: Suite) -> AsyncIterator[Guarded]:
    """Ada, whose app makes codes."""
    async with with_app(suite) as guarded:
        yield guarded


async def bearing(suite: Suite, token: str, method: str, path: str, body: object = None) -> Answer:
    """Ask with *token*."""
    skip = ["Content-Type", "Accept-Encoding"]
    headers = {"Authorization": f"Bearer {token}"}
    async with http_session(suite.url, headers=headers, skip_auto_headers=skip) as http:
        api = Raw(http)
        return await send(api, method, path, body)


async def test_a_thousand_codes_at_once_are_five_guesses_and_the_owner_gets_in_after_that(
    ada: Guarded,
) -> None:
    token = await ada.challenged()
    # Those that are good now are not among them.
    good = {ada.app.at(ada.app.used + ahead) for ahead in range(-1, 6)}
    guesses = [code for code in (f"{n:06d}" for n in range(1_010)) if code not in good][:1_000]

    answers = await asyncio.gather(*(ada.complete(token, code) for code in guesses))

    statuses = Counter(answer.status for answer in answers)
    assert statuses == {401: 5, 429: 995}
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["Retry-After"]) >= 1
    # The challenge is burnt, also for the right code; a new one is not.
    assert (await ada.complete(token, await ada.app.code())).status == 429
    fresh = await ada.challenged()
    assert (await ada.complete(fresh, await ada.app.code())).status == 200


async def test_new_challenges_give_no_new_guesses(ada: Guarded) -> None:
    statuses: list[int] = []
    for _ in range(3):
        token = await ada.challenged()
        statuses += [(await ada.complete(token, "000000")).status for _ in range(5)]

    assert statuses == [401] * 10 + [429] * 5
    throttled = await ada.login(otp="000000")
    assert throttled.status == 429
    assert int(throttled.headers["Retry-After"]) > 60


async def test_a_code_that_was_seen_is_worth_nothing(ada: Guarded) -> None:
    code = await ada.app.code()
    first = await ada.login(otp=code)

    assert first.status == 200
    assert (await ada.login(otp=code)).status == 401
    assert (await ada.complete(await ada.challenged(), code)).status == 401


async def test_of_fifty_logins_with_one_code_one_succeeds(ada: Guarded) -> None:
    code = await ada.app.code()

    answers = await asyncio.gather(*(ada.login(otp=code) for _ in range(50)))

    assert sum(answer.status == 200 for answer in answers) == 1
    assert {answer.status for answer in answers} <= {200, 401, 429}


async def test_a_code_of_the_window_before_is_good_once(ada: Guarded) -> None:
    """Both that of confirming and the next one are spent in turn, never twice."""
    for _ in range(2):
        code = await ada.app.code()
        assert [(await ada.login(otp=code)).status for _ in range(2)] == [200, 401]


async def test_the_token_of_a_login_that_waits_opens_nothing(suite: Suite, ada: Guarded) -> None:
    token = await ada.challenged()

    for method, path, body in (
        ("GET", "/v1/users/me", None),
        ("GET", "/v1/executions", None),
        ("GET", "/v1/users/me/factors", None),
        ("POST", "/v1/users/me/factors/totp", {}),
        ("POST", "/v1/auth/step-up", {"method": "totp", "code": await ada.app.code()}),
    ):
        refused = await bearing(suite, token, method, path, body)
        assert refused.status == 401, path
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    spent = await post(ada.stranger, "/v1/auth/refresh", {"refresh_token": token})
    assert spent.status == 401

    issued = await ada.complete(token, await ada.app.code())
    access = issued.json["access_token"]
    assert (await bearing(suite, access, "GET", "/v1/users/me")).status == 200
    assert (await ada.complete(access, "000000")).status == 401


async def test_a_session_without_the_factor_changes_none(suite: Suite, ada: Guarded) -> None:
    remembered = await ada.login(otp=await ada.app.code(), remember_device=True)
    on_device = await ada.login(device_token=remembered.json["device_token"])
    token = on_device.json["access_token"]
    own = (await bearing(suite, token, "GET", "/v1/users/me/factors")).json["items"]

    # Enrol over it, add a weaker one, take it away, get codes around it.
    for method, path, body in (
        ("POST", "/v1/users/me/factors/totp", {}),
        ("POST", "/v1/users/me/factors/totp", {"password": PASSWORD}),
        ("POST", "/v1/users/me/factors/sms", {"phone": PHONE}),
        ("POST", "/v1/users/me/factors/recovery-codes", {}),
        ("DELETE", f"/v1/users/me/factors/{own[0]['id']}", None),
    ):
        refused = await bearing(suite, token, method, path, body)
        assert (refused.status, refused.json["error"]["code"]) == (401, "MFA_REQUIRED"), path
        assert details(refused)["methods"] == "totp recovery"
    assert (await bearing(suite, token, "GET", "/v1/users/me/factors")).json["items"] == own
    # Nor anything else by which somebody would stay, or take the account over.
    key = {"name": "backdoor", "permissions": ["executions:read"]}
    sensitive: list[tuple[str, str, object]] = [
        ("POST", "/v1/api-keys", key),
        ("POST", "/v1/api-keys", {**key, "password": PASSWORD}),
        ("PUT", "/v1/users/me/password",
         {"current_password": PASSWORD, "new_password": "Another-Pass-9"}),
        ("PUT", "/v1/users/me/email", {"password": PASSWORD, "email": "eve@example.com"}),
    ]  # fmt: skip
    for method, path, content in sensitive:
        refused = await bearing(suite, token, method, path, content)
        assert (refused.status, refused.json["error"]["code"]) == (401, "MFA_REQUIRED"), path

    step_up = {"method": "recovery", "code": ada.recovery[0]}
    assert (await bearing(suite, token, "POST", "/v1/auth/step-up", step_up)).status == 200
    begun = await bearing(suite, token, "POST", "/v1/users/me/factors/totp", {})
    assert begun.status == 201
    assert (await bearing(suite, token, "POST", "/v1/api-keys", key)).status == 201


async def test_a_text_message_does_not_do_away_with_an_app(
    suite: Suite, ada: Guarded, provider: Texts
) -> None:
    begun = await post(ada.api, "/v1/users/me/factors/sms", {"phone": PHONE})
    assert begun.status == 201
    await post(ada.api, "/v1/users/me/factors/sms/confirm", {"code": provider.code()})
    items = (await ada.api("GET", "/v1/users/me/factors")).json["items"]
    totp = next(item["id"] for item in items if item["kind"] == "totp")

    # The session's latest proof is the text message by now.
    refused = await ada.api("DELETE", f"/v1/users/me/factors/{totp}")
    assert (refused.status, refused.json["error"]["code"]) == (401, "MFA_REQUIRED")

    stepped = {"method": "totp", "code": await ada.app.code()}
    assert (await post(ada.api, "/v1/auth/step-up", stepped)).status == 200
    assert (await ada.api("DELETE", f"/v1/users/me/factors/{totp}")).status == 204


async def test_nothing_tells_a_guesser_of_passwords_that_there_is_a_factor(
    suite: Suite, ada: Guarded
) -> None:
    async with signed_up(suite.url, "Bob") as bob:
        answers = [
            await post(
                ada.stranger,
                "/v1/auth/login",
                {"email": email, "password": "Wrong-Password-1", **more},
            )
            for email in (ada.person.email, bob.email, "nobody@example.com")
            for more in ({}, {"otp": "000000"}, {"device_token": "x" * 43})
        ]

    told = {(each.status, each.json["error"]["code"], each.json["error"]["message"],
             str(each.json["error"]["details"])) for each in answers}  # fmt: skip
    assert told == {(401, "UNAUTHENTICATED", "Wrong e-mail address or password", "[]")}


async def test_nobody_makes_others_pay_for_a_thousand_messages(
    suite: Suite, provider: Texts
) -> None:
    """Last in the module: it uses up what the tenant may send in this hour."""
    before = len(provider.sent)
    async with signed_up(suite.url, "Eve") as eve, raw(suite.url, eve) as api:
        first = await post(api, "/v1/users/me/factors/sms", {"phone": "+15005550000"})
        answers = await asyncio.gather(
            *(
                post(api, "/v1/users/me/factors/sms", {"phone": f"+1500555{number:04d}"})
                for number in range(1, 1_000)
            )
        )
    assert first.status == 201
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {201, 429}
    assert len(provider.sent) - before == 1 + statuses[201] <= 10

    for number in range(6):
        async with signed_up(suite.url, f"Eve{number}") as eve, raw(suite.url, eve) as api:
            for each in range(10):
                phone = f"+1600{number}55{each:04d}"
                await post(api, "/v1/users/me/factors/sms", {"phone": phone})
    assert len(provider.sent) <= PER_TENANT
    assert provider.tokens == {"Bearer sms-token"}
