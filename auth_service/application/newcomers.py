"""Making a user: what registration and the first administrator have in common."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

from auth_service.application.ports import PasswordHasher, Users
from auth_service.domain.errors import EmailTaken, InputInvalid
from auth_service.domain.events import UserRegistered
from auth_service.domain.policy import PasswordPolicy, tidy_password
from auth_service.domain.user import EmailAddress, User, email_problems, name_problems, tidy_name
from chassis.clock import Clock
from chassis.ids import Ids

Telling: TypeAlias = Callable[[User], AbstractContextManager[None]]
"""Tells the audit trail of a new user, along with the write that makes it."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who wants to be a user; nothing is checked yet."""

    tenant: str
    email: str
    password: str
    name: str
    roles: tuple[str, ...]
    verified: bool = False
    """Whether the address is known to be theirs: the operator said so."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Checks newcomers and lets them in."""

    users: Users
    hasher: PasswordHasher
    policy: PasswordPolicy
    clock: Clock
    ids: Ids

    async def admit(self, newcomer: Newcomer, telling: Telling) -> User:
        """Make *newcomer* a user and announce it; the write is made inside of *telling*.

        Raises:
            InputInvalid: with every problem of every field.
            EmailTaken: somebody has this address.
        """
        self._check(newcomer)
        email = EmailAddress.of(newcomer.email)
        # Spares the hash; that nobody slips in between is the store's promise.
        if await self.users.find_by_email(newcomer.tenant, email.key) is not None:
            raise EmailTaken
        now = self.clock.now()
        user = User(
            id=self.ids.new(),
            tenant=newcomer.tenant,
            email=email,
            name=tidy_name(newcomer.name),
            password_hash=await self.hasher.hash(tidy_password(newcomer.password)),
            roles=newcomer.roles,
            created_at=now,
            updated_at=now,
            email_verified_at=now if newcomer.verified else None,
        )
        with telling(user):
            await self.users.add(UserRegistered(self.ids.new(), user, now))
        return user

    def _check(self, newcomer: Newcomer) -> None:
        problems = (
            *email_problems(newcomer.email),
            *self.policy.problems(newcomer.password),
            *name_problems(tidy_name(newcomer.name)),
        )
        if problems:
            raise InputInvalid(problems)
