"""Accounts over HTTP: addresses, passwords, sessions, leaving; with the mails that go with it."""

import itertools
from collections.abc import AsyncIterator

import pytest

from tests.support.account_client import Visitor, registered, visitor
from tests.support.gateway_client import PASSWORD, eventually
from tests.support.mailbox import Mailbox
from tests.support.suite import Suite

OTHER = "Another-Password-8"
RESET, CONFIRM, NEW = "Set a new password", "Confirm your e-mail", "Confirm your new"
CHANGED = "Your password was changed"
_NUMBERS = itertools.count(1)


@pytest.fixture
def suite(mailing_suite: Suite) -> Suite:
    return mailing_suite


@pytest.fixture
def mailbox(suite: Suite) -> Mailbox:
    return Mailbox(suite.data)


@pytest.fixture
def email() -> str:
    return f"person-{next(_NUMBERS)}@example.com"


@pytest.fixture
async def ada(suite: Suite, email: str) -> AsyncIterator[Visitor]:
    async with visitor(suite.url) as who:
        await registered(who, email)
        yield who


@pytest.fixture
async def phone(suite: Suite, ada: Visitor, email: str) -> AsyncIterator[Visitor]:
    """Ada's second device."""
    async with visitor(suite.url, User_Agent="Mozilla/5.0 (Android 15) Firefox/140.0") as who:
        assert (await who.login(email))[0] == 200
        yield who


async def refused(who: Visitor) -> None:
    async def dead() -> bool:
        return await who.status() == 401

    await eventually(dead, "the end of the session")


async def test_an_address_is_confirmed_once(ada: Visitor, mailbox: Mailbox, email: str) -> None:
    assert (await ada("GET", "/v1/users/me"))[1]["email_verified"] is False
    token = await mailbox.token(email, CONFIRM)

    assert (await ada("POST", "/v1/auth/verify-email", {"token": token}))[0] == 204

    assert (await ada("GET", "/v1/users/me"))[1]["email_verified"] is True
    assert (await ada("POST", "/v1/auth/verify-email", {"token": token}))[0] == 422


async def test_a_link_that_is_asked_for_again_makes_the_first_one_useless(
    ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    first = await mailbox.token(email, CONFIRM)
    await ada("POST", "/v1/auth/verify-email/resend", {"email": email})
    second = await mailbox.token(email, CONFIRM, number=2)

    assert first != second
    assert (await ada("POST", "/v1/auth/verify-email", {"token": first}))[0] == 422
    assert (await ada("POST", "/v1/auth/verify-email", {"token": second}))[0] == 204


async def test_a_new_address_counts_once_it_is_confirmed(
    ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    new = f"new-{email}"

    status, _ = await ada("PUT", "/v1/users/me/email", {"email": new})
    assert status == 202
    assert (await ada("GET", "/v1/users/me"))[1]["email"] == email
    assert new in await mailbox.arrived(email, "about to change")
    token = await mailbox.token(new, NEW)
    assert (await ada("POST", "/v1/auth/verify-email", {"token": token}))[0] == 204

    me = (await ada("GET", "/v1/users/me"))[1]
    assert (me["email"], me["email_verified"]) == (new, True)
    assert new in await mailbox.arrived(email, "address was changed")
    assert (await ada.login(email))[0] == 401
    assert (await ada.login(new))[0] == 200


async def test_the_address_of_somebody_else_is_not_told_and_not_taken(
    suite: Suite, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    taken = f"taken-{email}"
    async with visitor(suite.url) as bob:
        await registered(bob, taken)

    free = await ada("PUT", "/v1/users/me/email", {"email": f"free-{email}"})
    assert await ada("PUT", "/v1/users/me/email", {"email": taken}) == free

    await mailbox.token(f"free-{email}", NEW)
    assert mailbox.to(taken, NEW) == []


async def test_a_changed_password_ends_the_other_sessions(
    ada: Visitor, phone: Visitor, mailbox: Mailbox, email: str
) -> None:
    body = {"current_password": PASSWORD, "new_password": OTHER}
    assert (await ada("PUT", "/v1/users/me/password", body))[0] == 204

    await refused(phone)
    assert await ada.status() == 200
    assert (await phone.login(email))[0] == 401
    assert (await phone.login(email, OTHER))[0] == 200
    await mailbox.arrived(email, CHANGED)


async def test_a_password_is_not_changed_with_a_wrong_one_or_to_a_weak_one(ada: Visitor) -> None:
    wrong = {"current_password": "not-it", "new_password": OTHER}
    weak = {"current_password": PASSWORD, "new_password": "Password1"}

    assert (await ada("PUT", "/v1/users/me/password", wrong))[0] == 403
    status, answer = await ada("PUT", "/v1/users/me/password", weak)
    assert status == 422
    assert answer["error"]["details"][0]["field"] == "new_password"


async def test_a_lost_password_is_replaced_by_mail(
    ada: Visitor, phone: Visitor, mailbox: Mailbox, email: str
) -> None:
    assert (await ada("POST", "/v1/auth/password-reset", {"email": email}, token=""))[0] == 202
    token = await mailbox.token(email, RESET)
    confirm = "/v1/auth/password-reset/confirm"

    weak = await ada("POST", confirm, {"token": token, "new_password": "weak"}, token="")
    good = await ada("POST", confirm, {"token": token, "new_password": OTHER}, token="")
    again = await ada("POST", confirm, {"token": token, "new_password": OTHER}, token="")

    assert (weak[0], good[0], again[0]) == (422, 204, 422)
    await refused(ada)
    await refused(phone)
    assert (await ada.login(email, OTHER))[0] == 200
    assert (await ada("GET", "/v1/users/me"))[1]["email_verified"] is True


async def test_sessions_are_listed_and_ended(ada: Visitor, phone: Visitor, email: str) -> None:
    _, page = await ada("GET", "/v1/users/me/sessions")
    here = [each for each in page["items"] if each["current"]]
    there = [each for each in page["items"] if not each["current"]]
    assert len(here) == 1
    assert [each["device"] for each in there] == ["Firefox on Android"]
    assert there[0]["address"] == "127.0.0.1"

    end = f"/v1/users/me/sessions/{there[0]['id']}"
    assert (await ada("DELETE", end))[0] == 204
    assert await phone.status() == 401
    assert (await ada("DELETE", end))[0] == 404

    assert (await phone.login(email))[0] == 200
    assert await ada("DELETE", "/v1/users/me/sessions") == (200, {"ended": 1})
    await refused(phone)
    assert await ada.status() == 200


async def test_somebody_elses_session_cannot_be_ended(suite: Suite, ada: Visitor) -> None:
    _, page = await ada("GET", "/v1/users/me/sessions")
    async with visitor(suite.url) as mallory:
        await registered(mallory, f"mallory-{next(_NUMBERS)}@example.com")
        path = f"/v1/users/me/sessions/{page['items'][0]['id']}"
        assert (await mallory("DELETE", path))[0] == 404
    assert await ada.status() == 200


async def test_everything_known_can_be_taken_along(ada: Visitor, email: str) -> None:
    status, export = await ada("GET", "/v1/users/me/export")

    assert status == 200
    assert export["user"]["email"] == email
    assert len(export["sessions"]) == 1
    assert {"user_registered", "logged_in"} <= {each["action"] for each in export["audit"]}
    assert export["consents"] == export["api_keys"] == []
    assert {each["place"]["kind"] for each in export["login_places"]} == {"device", "network"}
    assert "argon2" not in str(export).replace("Argon2id hash", "")


async def test_a_deleted_account_is_gone_and_its_address_free(
    ada: Visitor, phone: Visitor, mailbox: Mailbox, email: str
) -> None:
    assert (await ada("DELETE", "/v1/users/me", {"password": "wrong"}))[0] == 403
    assert (await ada("DELETE", "/v1/users/me", {"password": PASSWORD}))[0] == 204

    assert await ada.status() == 401
    await refused(phone)
    assert (await ada.login(email))[0] == 401
    assert (await ada("POST", "/v1/auth/refresh", {"refresh_token": phone.refresh_token}))[0] == 401
    await mailbox.arrived(email, "was deleted")
    await registered(ada, email)


async def test_a_deactivated_account_says_so_only_to_who_knows_the_password(
    ada: Visitor, email: str
) -> None:
    assert (await ada("POST", "/v1/users/me/deactivate", {}))[0] == 204

    assert await ada.status() == 401
    assert (await ada.login(email, "Wrong-Password-1"))[0] == 401
    status, answer = await ada.login(email)
    assert status == 403
    assert "deactivated" in answer["error"]["message"]


async def test_a_stolen_refresh_token_is_told_to_its_owner(ada: Visitor, email: str) -> None:
    stolen = {"refresh_token": ada.refresh_token}
    assert (await ada("POST", "/v1/auth/refresh", stolen))[0] == 200
    assert (await ada("POST", "/v1/auth/refresh", stolen))[0] == 401
    assert (await ada.login(email))[0] == 200

    async def told() -> bool:
        _, inbox = await ada("GET", "/v1/notifications")
        return "account.session-revoked" in [item["type"] for item in inbox["items"]]

    await eventually(told, "the notification")
