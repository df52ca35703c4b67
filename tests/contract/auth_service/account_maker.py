"""Changes of accounts, as tests of their stores make them."""

from dataclasses import replace
from datetime import datetime, timedelta

from auth_service.application.ports.accounts import AccountChange, Ending
from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.account import AccountToken, Purpose
from auth_service.domain.events import AccountFact, FactKind
from auth_service.domain.session import RevocationReason
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import NOW

SECOND = timedelta(seconds=1)


def ending(id_: str = "e1", *, spare: str = "", at: datetime = NOW) -> Ending:
    """All sessions end."""
    forget_at = at + timedelta(minutes=11)
    return Ending(id_, RevocationReason.PASSWORD_CHANGED, at, forget_at, spare)


def token(
    user: User, digest: bytes = b"d1", *, purpose: Purpose = Purpose.RESET_PASSWORD
) -> AccountToken:
    """A link that was mailed to the user."""
    until = NOW + timedelta(minutes=30)
    return AccountToken(digest, purpose, user.tenant, user.id, user.email, NOW, until)


def mail(id_: str = "m1") -> OutgoingMail:
    """A mail of a change."""
    return OutgoingMail(id_, "default", b"sealed", NOW, NOW + timedelta(days=1))


def fact(user: User, id_: str = "f1") -> AccountFact:
    """What others are told of it."""
    return AccountFact(id_, FactKind.PASSWORD_CHANGED, user.tenant, user.id, NOW)


def new_hash(user: User, value: str = "new") -> User:
    """The user with another password."""
    return replace(user, password_hash=value, updated_at=NOW + SECOND)


def reset(user: User, *, number: int = 1, digest: bytes = b"d1") -> AccountChange:
    """A new password by a link."""
    return AccountChange(
        before=user,
        after=new_hash(user, f"new-{number}"),
        spend=(digest, (Purpose.RESET_PASSWORD,)),
        ending=ending(f"e{number}"),
        events=(fact(user, f"f{number}"),),
        mails=(mail(f"m{number}"),),
    )
