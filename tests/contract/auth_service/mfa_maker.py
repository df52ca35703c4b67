"""Second factors of one user, as stores keep them."""

from dataclasses import dataclass, replace
from datetime import timedelta

from auth_service.application.ports.mfa import FactorsChanged
from auth_service.bootstrap.stores import Stores
from auth_service.domain.mfa.challenges import Challenge
from auth_service.domain.mfa.codes import SentCode
from auth_service.domain.mfa.devices import Device
from auth_service.domain.mfa.factors import Factor, FactorKind, Method
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import LIFE, NOW
from tests.support.ids import CountingIds

SOON = NOW + timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class MfaMaker:
    """Makes what stores keep for *user*."""

    ids: CountingIds
    user: User

    def factor(self, kind: FactorKind = FactorKind.TOTP) -> Factor:
        return Factor(
            self.ids.new(), self.user.id, self.user.tenant, kind, "", NOW, sealed_seed=b"sealed"
        )

    def change(self) -> FactorsChanged:
        return FactorsChanged(self.user.tenant, self.user.id, NOW, NOW + LIFE)

    async def enrolled(self, stores: Stores, kind: FactorKind = FactorKind.TOTP) -> Factor:
        """A factor that counts."""
        factor = self.factor(kind)
        await stores.mfa.factors.enrol(factor)
        assert await stores.mfa.factors.confirm(factor, self.change())
        return replace(factor, confirmed_at=NOW)

    def sent(self, tag: bytes) -> SentCode:
        return SentCode("login:c", Method.EMAIL, self.user.id, tag, SOON)

    def challenge(self) -> Challenge:
        user = self.user
        return Challenge(self.ids.new(), user.id, user.tenant, NOW, SOON)

    def device(self, digest: bytes) -> Device:
        user = self.user
        return Device(
            self.ids.new(), user.id, user.tenant, digest, "198.51.100.7", "a browser", NOW, NOW,
            NOW + timedelta(days=30),
        )  # fmt: skip
