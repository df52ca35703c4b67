"""Users for administrators: over HTTP, with the mails, and what must never happen to the last of them."""

import itertools
from collections.abc import AsyncIterator

import pytest

from autoworker import Client
from autoworker.errors import Conflict, NotFound
from tests.support.account_client import Visitor, registered, visitor
from tests.support.gateway_client import PASSWORD, eventually
from tests.support.mailbox import Mailbox
from tests.support.suite import Suite, command_line

_NUMBERS = itertools.count(1)
NOBODY = "01a1fdb5-c362-7000-bffd-000000000000"


@pytest.fixture
def suite(mailing_suite: Suite) -> Suite:
    return mailing_suite


@pytest.fixture
def mailbox(suite: Suite) -> Mailbox:
    return Mailbox(suite.data)


@pytest.fixture
def email() -> str:
    return f"managed-{next(_NUMBERS)}@example.com"


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Visitor]:
    async with visitor(suite.url) as who:
        known = suite.administrator
        assert (await who.login(known.email, known.password))[0] == 200
        yield who


@pytest.fixture
async def ada(suite: Suite) -> AsyncIterator[Visitor]:
    async with visitor(suite.url) as who:
        yield who


async def test_somebody_is_invited_and_chooses_a_password(
    admin: Visitor, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    status, made = await admin("POST", "/v1/users", {"email": email, "name": "Ada"})
    assert status == 201
    assert (made["active"], made["email_verified"], made["roles"]) == (True, False, ["user"])
    token = await mailbox.token(email, "An account was made for you")

    body = {"token": token, "new_password": PASSWORD}
    assert (await ada("POST", "/v1/auth/password-reset/confirm", body))[0] == 204

    assert (await ada.login(email))[0] == 200
    assert (await ada("GET", "/v1/users/me"))[1]["email_verified"] is True
    assert (await admin("POST", "/v1/users", {"email": email}))[0] == 409


async def test_users_are_found(admin: Visitor, ada: Visitor, email: str) -> None:
    user_id = await registered(ada, email)
    prefix = email.partition("@")[0]

    _, found = await admin("GET", f"/v1/users?email={prefix}%40")
    assert [user["id"] for user in found["items"]] == [user_id]
    _, one = await admin("GET", f"/v1/users/{user_id}")
    assert one == found["items"][0]
    _, admins = await admin("GET", "/v1/users?role=admin&active=true")
    assert [user["roles"] for user in admins["items"]] == [["admin"]]
    _, inactive = await admin("GET", f"/v1/users?email={prefix}%40&active=false")
    assert inactive["items"] == []

    _, first = await admin("GET", "/v1/users?limit=1")
    _, second = await admin("GET", f"/v1/users?limit=1&cursor={first['next_cursor']}")
    assert first["items"][0]["id"] == user_id
    assert second["items"][0]["id"] != user_id
    assert (await admin("GET", "/v1/users?cursor=nonsense"))[0] == 422


async def test_a_user_is_changed_and_told(
    admin: Visitor, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    user_id = await registered(ada, email)
    new = f"new-{email}"

    change = {"name": "Ada Lovelace", "email": new}
    status, changed = await admin("PATCH", f"/v1/users/{user_id}", change)

    assert status == 200
    assert (changed["name"], changed["email"]) == ("Ada Lovelace", new)
    assert new in await mailbox.arrived(email, "address was changed")
    await mailbox.token(new, "Confirm your e-mail")
    assert (await ada.login(new))[0] == 200


async def test_the_inbox_tells_what_happened_to_the_account(
    admin: Visitor, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    user_id = await registered(ada, email)
    assert (await admin("POST", f"/v1/users/{user_id}/deactivate"))[0] == 200
    await mailbox.arrived(email, "was deactivated")
    assert (await admin("POST", f"/v1/users/{user_id}/activate"))[0] == 200
    assert (await ada.login(email))[0] == 200

    async def told() -> bool:
        _, inbox = await ada("GET", "/v1/notifications")
        return "account.user-activated" in [item["type"] for item in inbox["items"]]

    await eventually(told, "the notification")


async def test_a_new_device_is_told_by_mail_and_in_the_inbox(
    suite: Suite, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    await registered(ada, email)
    assert mailbox.to(email, "New login") == []
    async with visitor(suite.url, User_Agent="Mozilla/5.0 (Windows NT 10.0) Firefox/140.0") as bob:
        assert (await bob.login(email))[0] == 200

    text = await mailbox.arrived(email, "New login")
    assert "Firefox on Windows" in text
    assert "a new device" in text

    async def told() -> bool:
        _, inbox = await ada("GET", "/v1/notifications")
        return "account.login-suspicious" in [item["type"] for item in inbox["items"]]

    await eventually(told, "the notification")


async def test_the_last_administrator_stays(admin: Visitor) -> None:
    _, me = await admin("GET", "/v1/users/me")
    path = f"/v1/users/{me['id']}"

    for method, where in (("POST", f"{path}/deactivate"), ("DELETE", path)):
        status, answer = await admin(method, where)
        assert (status, answer["error"]["code"]) == (409, "CONFLICT")
    assert (await admin("DELETE", "/v1/users/me"))[0] == 409
    assert await admin.status() == 200


async def test_another_administrator_may_leave(admin: Visitor, ada: Visitor, email: str) -> None:
    user_id = await registered(ada, email)
    assert (await admin("PUT", f"/v1/users/{user_id}/roles", {"roles": ["admin"]}))[0] == 200

    assert (await ada("DELETE", "/v1/users/me", {"password": PASSWORD}))[0] == 204
    assert (await admin("GET", f"/v1/users/{user_id}"))[0] == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/users"),
        ("POST", "/v1/users"),
        ("GET", "/v1/users/{id}"),
        ("PATCH", "/v1/users/{id}"),
        ("POST", "/v1/users/{id}/deactivate"),
        ("POST", "/v1/users/{id}/activate"),
        ("DELETE", "/v1/users/{id}/sessions"),
        ("DELETE", "/v1/users/{id}"),
    ],
)
async def test_users_are_for_administrators(
    admin: Visitor, ada: Visitor, email: str, method: str, path: str
) -> None:
    _, me = await admin("GET", "/v1/users/me")
    await registered(ada, email)
    body = {"email": f"x{email}", "password": PASSWORD} if method in ("POST", "PATCH") else None
    if path.count("/") > 3:
        body = None

    assert (await ada(method, path.format(id=me["id"]), body))[0] == 403
    if "{id}" in path:
        missing = await admin(method, path.format(id=NOBODY), {"name": "x"} if body else None)
        assert missing[0] == 404


async def test_nobody_changes_who_may_do_more(admin: Visitor, ada: Visitor, email: str) -> None:
    user_id = await registered(ada, email)
    _, root = await admin("GET", "/v1/users/me")
    role = {"name": f"clerk-{next(_NUMBERS)}", "permissions": ["users:read", "users:write"]}
    role["parents"] = ["user"]
    assert (await admin("POST", "/v1/roles", role))[0] == 201
    await admin("PUT", f"/v1/users/{user_id}/roles", {"roles": [str(role["name"])]})
    await ada.login(email)

    for method, path, body in (
        ("PATCH", f"/v1/users/{root['id']}", {"email": "mine@example.com"}),
        ("POST", f"/v1/users/{root['id']}/deactivate", None),
        ("DELETE", f"/v1/users/{root['id']}", None),
        ("DELETE", f"/v1/users/{root['id']}/sessions", None),
    ):
        assert (await ada(method, path, body))[0] == 403
    # The control: plain users may be changed.
    async with visitor(str(ada.http._base_url)) as bob:
        other = await registered(bob, f"bob-{email}")
    assert (await ada("PATCH", f"/v1/users/{other}", {"name": "Bob"}))[0] == 200


async def test_users_in_the_terminal(suite: Suite, ada: Visitor, email: str) -> None:
    user_id = await registered(ada, email)

    listed = command_line(suite.folder, "users", "list", "--email", email).stdout
    invited = command_line(suite.folder, "users", "create", f"x{email}", "--name", "Ada")
    off = command_line(suite.folder, "users", "deactivate", user_id).stdout
    deleted = command_line(suite.folder, "users", "delete", user_id, "--yes")
    missing = command_line(suite.folder, "users", "show", user_id)

    assert listed.split()[:4] == [user_id, email, "active", "user"]
    assert "is invited" in invited.stdout
    assert "deactivated" in off
    assert deleted.stdout == f"{user_id} is deleted.\n"
    assert missing.returncode != 0
    assert "not found" in missing.stderr.lower()


async def test_users_from_python(suite: Suite, email: str) -> None:
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as admin:
        made = await admin.create_user(email, name="Ada", password=PASSWORD)
        assert [each.id async for each in admin.users(email=email)] == [made.id]
        assert (await admin.update_user(made.id, name="Ada L.")).name == "Ada L."
        assert (await admin.deactivate_user(made.id)).active is False
        assert (await admin.activate_user(made.id)).active is True
        assert await admin.end_user_sessions(made.id) == 0
        with pytest.raises(Conflict):
            await admin.create_user(email)
        await admin.delete_user(made.id)
        with pytest.raises(NotFound):
            await admin.user(made.id)
