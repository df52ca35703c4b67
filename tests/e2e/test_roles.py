"""Roles as administrators use them: in the terminal, and with the Python client."""

import pytest

from autoworker import Client
from autoworker.errors import Conflict, NotFound
from tests.support.access import id_of
from tests.support.gateway_client import Person
from tests.support.suite import Suite, command_line


async def test_roles_in_the_terminal(suite: Suite, ada: Person) -> None:
    who = await id_of(ada)

    put = command_line(
        suite.folder, "roles", "put", "terminal", "--permission", "users:read", "--parent", "user"
    )
    granted = command_line(suite.folder, "roles", "grant", who, "terminal").stdout
    listed = command_line(suite.folder, "roles", "list").stdout
    taken = command_line(suite.folder, "roles", "take", who, "terminal").stdout
    deleted = command_line(suite.folder, "roles", "delete", "terminal")
    wrong = command_line(suite.folder, "roles", "put", "bad", "--permission", "users:*")

    assert "users:read" in put.stdout
    assert "is: terminal, user." in granted
    assert ["terminal", "own"] in [line.split()[:2] for line in listed.splitlines()]
    assert "is: user." in taken
    assert deleted.stdout == "terminal is deleted.\n"
    assert wrong.returncode != 0
    assert "Unknown permission" in wrong.stderr


async def test_roles_from_python(suite: Suite, ada: Person) -> None:
    known = suite.administrator
    who = await id_of(ada)
    async with Client(suite.url, email=known.email, password=known.password) as admin:
        await admin.put_role("python", permissions=["users:read"], description="For a test")
        assert (await admin.set_roles(who, ["python"])).permissions == ["users:read"]
        with pytest.raises(Conflict):
            await admin.delete_role("python")
        assert (await admin.grant_role(who, "user")).roles == ["python", "user"]
        assert (await admin.take_role(who, "python")).roles == (await admin.user_roles(who)).roles
        assert "python" in [role.name async for role in admin.roles()]
        await admin.delete_role("python")
        with pytest.raises(NotFound):
            await admin.delete_role("python")
