"""How long things count, and how often somebody may guess."""

import pytest

from auth_service.application.actor import Actor
from auth_service.application.commands.oauth.manage_clients import RotateClientSecret
from auth_service.application.commands.purge_expired import PurgeExpired
from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.application.oauth.answers import Answer
from auth_service.application.oauth.browsing import LOST, LoginPage, MessagePage, Shown
from auth_service.domain.oauth.client import GrantType
from auth_service.domain.permissions import PERMISSIONS
from auth_service.domain.tenant import DEFAULT_TENANT
from tests.unit.auth_service.fakes import Identity
from tests.unit.auth_service.oauth.desk import Desk, desk_of, said

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@pytest.fixture
async def desk(auth: Identity) -> Desk:
    return await desk_of(auth)


def error(answer: Answer) -> object:
    return answer.members.get("error")


async def test_a_code_counts_for_a_minute(desk: Desk) -> None:
    in_time, late = await desk.code(), await desk.code()

    desk.auth.clock.advance(59)
    assert (await desk.redeem(in_time)).status == 200
    desk.auth.clock.advance(1)
    assert error(await desk.redeem(late)) == "invalid_grant"


async def test_a_spent_code_is_remembered_beyond_its_time(desk: Desk) -> None:
    code = await desk.code()
    refresh_token = str((await desk.redeem(code)).members["refresh_token"])
    desk.auth.clock.advance(2 * HOUR)
    await desk.auth.app.commands.purge_expired(PurgeExpired())

    assert error(await desk.redeem(code)) == "invalid_grant"

    refreshed = await desk.token(GrantType.REFRESH_TOKEN, refresh_token=refresh_token)
    assert error(refreshed) == "invalid_grant"
    assert "oauth_code_reused" in desk.auth.audit.names()


async def test_a_request_waits_for_half_an_hour(desk: Desk) -> None:
    began = await desk.begin()
    page = await desk.login_page(began)

    desk.auth.clock.advance(30 * MINUTE)

    assert await desk.log_in(page) == LOST


async def test_a_login_in_the_browser_lasts_half_a_day(desk: Desk) -> None:
    await desk.code()
    desk.auth.clock.advance(11 * HOUR)
    assert "code" in said(await desk.begin(prompt="none"))

    desk.auth.clock.advance(2 * HOUR)

    assert said(await desk.begin(prompt="none"))["error"] == "login_required"


async def test_a_pushed_request_waits_for_a_minute(desk: Desk) -> None:
    values = {"response_type": "code", "redirect_uri": "https://client.example/cb"}
    proof = {"code_challenge": "c" * 43, "code_challenge_method": "S256"}
    pushed = await desk.ask("pushed_authorization", {**values, **proof})
    assert pushed.status == 201
    desk.auth.clock.advance(MINUTE)

    shown = await desk.begin(request_uri=str(pushed.members["request_uri"]))

    assert isinstance(shown, Shown)
    assert isinstance(shown.view, MessagePage)


async def test_refresh_tokens_and_sessions_last_a_month_from_their_last_use(desk: Desk) -> None:
    members = (await desk.redeem(await desk.code())).members
    token = str(members["refresh_token"])
    for _ in range(3):
        desk.auth.clock.advance(29 * DAY)
        await desk.auth.app.commands.rotate_keys(RotateKeys())
        answer = await desk.token(GrantType.REFRESH_TOKEN, refresh_token=token)
        assert answer.status == 200
        token = str(answer.members["refresh_token"])

    desk.auth.clock.advance(31 * DAY)

    answer = await desk.token(GrantType.REFRESH_TOKEN, refresh_token=token)
    assert error(answer) == "invalid_grant"


async def test_an_old_secret_counts_for_its_overlap(desk: Desk) -> None:
    registrar = Actor(DEFAULT_TENANT, "admin", frozenset(PERMISSIONS))
    rotate = desk.auth.app.oauth.clients.rotate_secret
    fresh = await rotate(RotateClientSecret(registrar, desk.client_id))
    assert (await desk.token(GrantType.CLIENT_CREDENTIALS)).status == 200

    desk.auth.clock.advance(DAY)

    assert error(await desk.token(GrantType.CLIENT_CREDENTIALS)) == "invalid_client"
    desk.secret = fresh.secret
    assert (await desk.token(GrantType.CLIENT_CREDENTIALS)).status == 200


async def test_a_device_waits_for_ten_minutes(desk: Desk) -> None:
    codes = (await desk.ask("device_authorization", {"scope": "openid"})).members
    device_code = str(codes["device_code"])
    waiting = await desk.token(GrantType.DEVICE_CODE, device_code=device_code)
    assert error(waiting) == "authorization_pending"

    desk.auth.clock.advance(10 * MINUTE)

    assert (
        error(await desk.token(GrantType.DEVICE_CODE, device_code=device_code)) == "expired_token"
    )
    page = await desk.device_page()
    shown = await desk.visit("submit_device", csrf=page.csrf, user_code=str(codes["user_code"]))
    assert isinstance(shown, Shown)
    assert shown.status == 400


async def test_user_codes_cannot_be_guessed_for_long(desk: Desk) -> None:
    codes = (await desk.ask("device_authorization", {"scope": "openid"})).members
    page = await desk.device_page()
    for _ in range(10):
        shown = await desk.visit("submit_device", csrf=page.csrf, user_code="BBBB-BBBB")
        assert isinstance(shown, Shown)
        assert shown.status == 400

    # Not even the right one is looked at now.
    right = str(codes["user_code"])
    shown = await desk.visit("submit_device", csrf=page.csrf, user_code=right)
    assert isinstance(shown, Shown)
    assert (shown.status, shown.retry_after) == (429, 30.0)
    desk.auth.clock.advance(31)
    assert "id" in said(await desk.visit("submit_device", csrf=page.csrf, user_code=right))


async def test_passwords_on_the_page_are_throttled_as_everywhere(desk: Desk) -> None:
    page = await desk.login_page(await desk.begin())
    values = {"id": page.request_id, "csrf": page.csrf, "step": "login", "email": "ada@example.com"}
    statuses = []
    for _ in range(11):
        shown = await desk.visit("submit", password="wrong", **values)
        assert isinstance(shown, Shown)
        assert isinstance(shown.view, LoginPage)
        statuses.append(shown.status)

    assert statuses == [401] * 10 + [429]
