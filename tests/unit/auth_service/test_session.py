"""Where requests come from, and how long revocations matter."""

from datetime import UTC, datetime, timedelta

import pytest

from auth_service.domain.permissions import Role, permissions_of
from auth_service.domain.session import Origin, SessionPolicy


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_guesses_are_counted_by_what_one_subscriber_owns(address: str, network: str) -> None:
    assert Origin(address).network == network


def test_a_revocation_is_remembered_until_no_token_can_be_alive() -> None:
    policy = SessionPolicy(access_token=timedelta(minutes=5), leeway=timedelta(seconds=30))
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert policy.forget_revocation_at(at) == at + timedelta(minutes=5, seconds=30)


def test_a_change_of_rights_is_remembered_until_no_internal_token_can_be_alive() -> None:
    policy = SessionPolicy(internal_token=timedelta(seconds=40), leeway=timedelta(seconds=30))
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert policy.forget_change_at(at) == at + timedelta(seconds=70)


def test_an_administrator_may_all_that_a_user_may_and_more() -> None:
    user, admin = set(permissions_of([Role.USER])), set(permissions_of([Role.ADMIN]))

    assert user < admin
    assert admin - user == {
        "audit:read",
        "dead-letters:read",
        "dead-letters:write",
        "executions:read-all",
        "executions:write-all",
        "policies:read",
        "policies:write",
        "roles:assign",
        "roles:read",
        "roles:write",
        "oauth-clients:read",
        "oauth-clients:write",
        "secrets:share",
        "users:read",
        "users:write",
        "workers:serve-all",
    }


def test_no_role_gives_no_permission() -> None:
    assert permissions_of([]) == ()
