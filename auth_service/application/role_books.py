"""What roles give, remembered for a moment so that most checks need no read."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from auth_service.application.ports import Roles
from auth_service.domain.access_errors import RolesChanged
from auth_service.domain.roles import RoleBook
from chassis.clock import Clock

MAX_AGE = 1.0
"""Seconds. What another replica changes counts here after this time at the latest."""

CAPACITY = 1_000
_TRIES = 5

T = TypeVar("T")


@dataclass(slots=True)
class RoleBooks:
    """A bounded cache of tenants' roles; what is changed in this process counts at once."""

    roles: Roles
    clock: Clock
    _known: OrderedDict[str, tuple[float, RoleBook]] = field(default_factory=OrderedDict)

    async def permissions_of(
        self, tenant: str, names: Iterable[str], *, fresh: bool = False
    ) -> tuple[str, ...]:
        """Everything that somebody with these roles may do, sorted. *fresh*: as of now."""
        book = await self.book(tenant, fresh=fresh)
        return tuple(sorted(book.permissions_of(names)))

    async def book(self, tenant: str, *, fresh: bool = False) -> RoleBook:
        """The tenant's roles. *fresh*: as of now."""
        read_at = self.clock.monotonic()
        known = None if fresh else self._known.get(tenant)
        if known is not None and read_at - known[0] < MAX_AGE:
            return known[1]
        book = await self.roles.book(tenant)
        newer = self._known.get(tenant)
        if newer is None or newer[1].version <= book.version:
            self._remember(tenant, read_at, book)
        return book

    async def change(self, tenant: str, work: Callable[[RoleBook], Awaitable[T]]) -> T:
        """Do *work* upon the roles as they are, again when somebody else was faster.

        Raises:
            RolesChanged: somebody else was faster each time.
        """
        for _ in range(_TRIES - 1):
            try:
                return await self._changed(tenant, work)
            except RolesChanged:
                continue
        return await self._changed(tenant, work)

    async def _changed(self, tenant: str, work: Callable[[RoleBook], Awaitable[T]]) -> T:
        try:
            return await work(await self.roles.book(tenant))
        finally:
            self._known.pop(tenant, None)

    def _remember(self, tenant: str, read_at: float, book: RoleBook) -> None:
        self._known[tenant] = (read_at, book)
        self._known.move_to_end(tenant)
        if len(self._known) > CAPACITY:
            self._known.popitem(last=False)
