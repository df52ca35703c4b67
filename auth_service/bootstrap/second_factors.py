"""What several use cases of second factors share, made once."""

from dataclasses import dataclass

from auth_service.adapters.mfa_tokens import JwtPendingTokens
from auth_service.application.accounts.login_watch import LoginWatch
from auth_service.application.grants import Grants
from auth_service.application.key_ring import KeyRing
from auth_service.application.mfa.entrance import Entrance
from auth_service.application.mfa.letters import FactorLetters
from auth_service.application.mfa.pending import PendingLogins
from auth_service.application.mfa.remembered import RememberedDevices
from auth_service.application.mfa.second_factors import SecondFactors
from auth_service.application.mfa.tags import CodeTags
from auth_service.application.opening import SessionOpening
from auth_service.application.ports import Audit, Randomness
from auth_service.application.postman import Postman
from auth_service.bootstrap.stores import Stores
from chassis.clock import Clock
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.safe import Safe
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class SecondFactorParts:
    """Checking codes, waiting for them, remembering devices, letting users in."""

    seeds: Safe
    tags: CodeTags
    letters: FactorLetters
    second: SecondFactors
    pending: PendingLogins
    remembered: RememberedDevices
    opening: SessionOpening
    entrance: Entrance


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What they are made of."""

    stores: Stores
    ring: KeyRing
    grants: Grants
    watch: LoginWatch
    postman: Postman
    keys: WrappingKeys
    randomness: Randomness
    audit: Audit
    clock: Clock
    ids: Ids


def second_factor_parts(of: Ingredients) -> SecondFactorParts:
    """The parts."""
    stores, audit, clock, ids = of.stores, of.audit, of.clock, of.ids
    seeds, tags = Safe(of.keys, "mfa seeds"), CodeTags(of.keys)
    letters = FactorLetters(of.postman, clock, ids)
    mfa = stores.mfa
    second = SecondFactors(
        mfa.factors, mfa.recovery, mfa.sent, mfa.tallies, seeds, tags, letters, audit, clock
    )
    pending = PendingLogins(
        stores.users, mfa.challenges, second, JwtPendingTokens(), of.ring, audit, clock, ids
    )
    opening = SessionOpening(stores.sessions, of.grants, of.watch, audit, clock, ids)
    remembered = RememberedDevices(mfa.devices, of.randomness, audit, clock, ids)
    return SecondFactorParts(
        seeds=seeds,
        tags=tags,
        letters=letters,
        second=second,
        pending=pending,
        remembered=remembered,
        opening=opening,
        entrance=Entrance(second, pending, remembered, opening),
    )
