"""Whatever limited administrators do with roles, in whatever order: what must never come of it."""

from collections.abc import Sequence
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from auth_service.domain.access_errors import (
    RoleCycle,
    RoleFixed,
    RoleInUse,
    RoleNotFound,
    RoleTooPowerful,
)
from auth_service.domain.permissions import PERMISSIONS
from auth_service.domain.roles import RoleBook, RoleDefinition

NAMES = ("a", "b", "c", "d", "user", "admin")
SOME = sorted(PERMISSIONS)[:6]

permissions = st.lists(st.sampled_from(SOME), unique=True, max_size=3).map(tuple)
parents = st.lists(st.sampled_from(NAMES), unique=True, max_size=3).map(tuple)
roles = st.builds(
    RoleDefinition,
    name=st.sampled_from(NAMES),
    description=st.just(""),
    permissions=permissions,
    parents=parents,
)
removals = st.sampled_from(NAMES)


def after(
    book: RoleBook, steps: Sequence[RoleDefinition | str], granter: frozenset[str]
) -> RoleBook:
    """The book once *granter* has tried all of *steps*."""
    for step in steps:
        with suppress(RoleCycle, RoleFixed, RoleInUse, RoleNotFound, RoleTooPowerful):
            if isinstance(step, str):
                book = book.without_role(step, granter)
            elif all(book.find(parent) for parent in step.parents):
                book = book.with_role(step, granter)
    return book


@given(
    st.lists(roles | removals, max_size=12),
    st.lists(roles | removals, max_size=12),
    st.frozensets(st.sampled_from(SOME)),
)
def test_nobody_gains_what_the_granter_lacks_and_nothing_goes_in_circles(
    before: list[RoleDefinition | str], tried: list[RoleDefinition | str], limited: frozenset[str]
) -> None:
    old = after(RoleBook(0), before, PERMISSIONS)
    new = after(old, tried, limited)

    for role in new.all():
        had, has = old.permissions_of([role.name]), new.permissions_of([role.name])
        assert has - had <= limited
        assert role.name not in {above.name for above in new.closure(role.parents)}
    for role in old.all():
        lost = old.permissions_of([role.name]) - new.permissions_of([role.name])
        assert lost <= limited
    assert new.permissions_of(["admin"]) == PERMISSIONS
    assert new.find("user") is not None
