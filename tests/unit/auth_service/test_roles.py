"""What roles give, and who may change that."""

from dataclasses import replace

import pytest

from auth_service.domain.access_errors import (
    RoleCycle,
    RoleFixed,
    RoleInUse,
    RoleNotFound,
    RoleTooPowerful,
)
from auth_service.domain.permissions import PERMISSIONS
from auth_service.domain.roles import MAX_ROLES, RoleBook, RoleDefinition, role_problems

ALL = PERMISSIONS


def role(name: str, *permissions: str, parents: tuple[str, ...] = ()) -> RoleDefinition:
    return RoleDefinition(name, "", permissions, parents)


def book(*roles: RoleDefinition) -> RoleBook:
    return RoleBook(1, {each.name: each for each in roles})


def test_a_role_gives_all_that_its_ancestors_give() -> None:
    known = book(
        role("viewer", "executions:read-all"),
        role("operator", "executions:write-all", parents=("viewer",)),
        role("chief", "users:read", parents=("operator",)),
    )

    assert known.permissions_of(["chief"]) == {
        "users:read",
        "executions:write-all",
        "executions:read-all",
    }


def test_the_administrator_has_every_permission_there_is() -> None:
    assert book().permissions_of(["admin"]) == ALL


def test_a_role_that_is_gone_gives_nothing() -> None:
    assert book().permissions_of(["gone"]) == frozenset()


def test_a_tenant_may_change_what_users_may_do() -> None:
    known = RoleBook(0).with_role(role("user", "workflows:read"), ALL)

    assert known.permissions_of(["user"]) == {"workflows:read"}


def test_the_administrator_cannot_be_changed_by_anybody() -> None:
    with pytest.raises(RoleFixed):
        RoleBook(0).with_role(role("admin", "workflows:read"), ALL)


@pytest.mark.parametrize("name", ["admin", "user"])
def test_built_in_roles_cannot_be_deleted(name: str) -> None:
    with pytest.raises(RoleFixed):
        RoleBook(0).without_role(name, ALL)


def test_what_is_not_there_cannot_be_deleted() -> None:
    with pytest.raises(RoleNotFound):
        RoleBook(0).without_role("gone", ALL)


def test_a_role_that_others_build_upon_cannot_be_deleted() -> None:
    known = book(role("viewer"), role("operator", parents=("viewer",)))

    with pytest.raises(RoleInUse, match="operator"):
        known.without_role("viewer", ALL)


def test_a_role_cannot_build_upon_itself() -> None:
    with pytest.raises(RoleCycle):
        book().with_role(role("one", parents=("one",)), ALL)


def test_a_role_cannot_build_upon_what_builds_upon_it() -> None:
    known = book(role("one"), role("two", parents=("one",)), role("three", parents=("two",)))

    with pytest.raises(RoleCycle):
        known.with_role(role("one", parents=("three",)), ALL)


def test_a_shared_ancestor_is_no_cycle() -> None:
    known = book(role("top"), role("left", parents=("top",)), role("right", parents=("top",)))

    known.with_role(role("bottom", parents=("left", "right")), ALL)


def test_nobody_makes_a_role_that_can_do_more_than_oneself() -> None:
    with pytest.raises(RoleTooPowerful, match="users:write"):
        book().with_role(role("chief", "users:write"), {"roles:write", "users:read"})


def test_nobody_borrows_power_from_a_parent() -> None:
    with pytest.raises(RoleTooPowerful):
        book().with_role(role("mine", parents=("admin",)), {"roles:write"})


def test_nobody_weakens_or_deletes_a_role_that_can_do_more_than_oneself() -> None:
    known = book(role("chief", "users:write"))

    with pytest.raises(RoleTooPowerful):
        known.with_role(role("chief"), {"roles:write"})
    with pytest.raises(RoleTooPowerful):
        known.without_role("chief", {"roles:write"})


def test_who_holds_a_permission_may_give_it_on() -> None:
    known = book().with_role(role("reader", "users:read"), {"roles:write", "users:read"})

    assert known.version == 2
    assert known.permissions_of(["reader"]) == {"users:read"}


def test_the_way_to_a_permission_is_the_shortest() -> None:
    known = book(
        role("deep", "users:read"),
        role("middle", parents=("deep",)),
        role("top", parents=("middle", "shortcut")),
        role("shortcut", "users:read"),
    )

    assert known.path_to("users:read", ["top"]) == ("top", "shortcut")
    assert known.path_to("users:write", ["top"]) == ()


@pytest.mark.parametrize("pattern", ["*", "workflows:*", "*:read", "workflows", "Workflows:read"])
def test_patterns_and_misspellings_are_no_permissions(pattern: str) -> None:
    problems = role_problems(role("any", pattern), RoleBook(0))

    assert [each.field for each in problems] == ["permissions"]
    assert "workflows:read" in problems[0].message


@pytest.mark.parametrize("name", ["", "Admin", "two words", "a" * 65, "-a", "a/b", "é"])
def test_names_are_simple(name: str) -> None:
    assert [each.field for each in role_problems(role(name), RoleBook(0))] == ["name"]


def test_parents_must_exist() -> None:
    problems = role_problems(role("one", parents=("nobody",)), RoleBook(0))

    assert [(each.field, each.message) for each in problems] == [
        ("parents", "There is no role nobody")
    ]


def test_a_tenant_has_not_more_roles_than_it_can_oversee() -> None:
    full = RoleBook(1, {f"r{at}": role(f"r{at}") for at in range(MAX_ROLES)})

    assert [each.field for each in role_problems(role("more"), full)] == ["name"]
    assert role_problems(replace(full.get("r1"), description="changed"), full) == ()
