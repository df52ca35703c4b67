"""One's own account: sessions, password, address; leaving, and taking along what is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Accounts, Ended, Gatekeeper, Page, Presence, Session
from gateway.routes.identity import TAG
from gateway.routes.origins import origin_of
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Reply, Route, answer, nothing

# Generous: the rules of the auth service are stricter, and name what is wrong.
_Text = Annotated[str, Meta(max_length=1024)]
_SENSITIVE: Final = (
    "Sensitive: give the password, or have logged in within the last five minutes (403 otherwise); "
    "with a second factor it must have been given in that time."
)
_PROOF: Final = (Kind.PERMISSION_DENIED, Kind.MFA_REQUIRED)
_PASSWORD: Final = {"password": "Correct-Horse-9"}
_EXAMPLE: Final = {
    "id": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
    "device": "Firefox on Linux",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "address": "192.0.2.7",
    "network": "192.0.2.7",
    "created_at": "2026-01-15T10:30:00Z",
    "last_seen_at": "2026-01-15T11:05:00Z",
    "expires_at": "2026-02-14T11:05:00Z",
    "current": True,
    "client_id": "",
}


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The new password, and the one of today unless one has logged in just now."""

    new_password: _Text
    current_password: _Text | None = None


class EmailChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The new address."""

    email: _Text
    password: _Text | None = None


class Proof(Struct, frozen=True, forbid_unknown_fields=True):
    """That it is oneself; needed unless one has logged in just now."""

    password: _Text | None = None


class Noted(Struct, frozen=True):
    """What happens next, for people."""

    message: str


@dataclass(frozen=True, slots=True)
class AccountRoutes:
    """Everything under /v1/users/me but the profile."""

    accounts: Accounts
    gatekeeper: Gatekeeper

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield self._own(
            "GET",
            "/sessions",
            self.sessions,
            summary="List your sessions",
            description="`last_seen_at` is exact to about a minute.",
            parameters=PAGING,
            replies=[Reply(200, "A page of sessions, the newest first", Page[Session])],
        )
        yield self._own(
            "DELETE",
            "/sessions",
            self.end_others,
            summary="Log out everywhere else",
            description="Their tokens are refused everywhere within a second.",
            replies=[Reply(200, "So many sessions have ended", Ended, example={"ended": 2})],
        )
        yield self._own(
            "DELETE",
            "/sessions/{id}",
            self.end_one,
            summary="End a session",
            description="Its tokens are refused everywhere within a second.",
            path_parameters={"id": "The session's id"},
            replies=[Reply(204, "It has ended")],
            errors=[Kind.NOT_FOUND],
        )
        yield from self._sensitive()

    def _sensitive(self) -> Iterator[Route]:
        yield self._own(
            "PUT",
            "/password",
            self.change_password,
            summary="Change your password",
            description=f"All other sessions end, and a mail tells of it. {_SENSITIVE}",
            body=Body(
                PasswordChange,
                examples={
                    "change": {
                        "current_password": "Correct-Horse-9",
                        "new_password": "Battery-Staple-7",
                    }
                },
            ),
            replies=[Reply(204, "It is changed")],
            errors=[*_PROOF, Kind.RATE_LIMITED],
        )
        yield self._own(
            "PUT",
            "/email",
            self.change_email,
            summary="Change your e-mail address",
            description="A link is mailed to the new address, and a warning to the old one. The "
            "new one counts once the link was used; whether somebody else has it is not told. "
            + _SENSITIVE,
            body=Body(EmailChange, examples={"change": {"email": "ada@example.org", **_PASSWORD}}),
            replies=[Reply(202, "Unless it is somebody else's, a link is on its way", Noted)],
            errors=[*_PROOF, Kind.RATE_LIMITED],
        )
        yield from self._leaving()

    def _leaving(self) -> Iterator[Route]:
        proof = Body(Proof, required=False, examples={"password": _PASSWORD})
        yield self._own(
            "GET",
            "/export",
            self.export,
            summary="Export what is kept about you",
            description="A JSON object, without secrets. Without a password in the request, so "
            "log in first if that was long ago.",
            replies=[Reply(200, "The document", dict[str, Any])],
            errors=_PROOF,
        )
        yield self._own(
            "POST",
            "/deactivate",
            self.deactivate,
            summary="Deactivate your account",
            description=f"Only an administrator can take that back. {_SENSITIVE}",
            body=proof,
            replies=[Reply(204, "It is deactivated; every session has ended")],
            errors=[*_PROOF, Kind.CONFLICT],
        )
        yield self._own(
            "DELETE",
            "",
            self.delete,
            summary="Delete your account",
            description="For good, with everything personal. What one has made stays with the "
            f"tenant under an id that leads to nobody. {_SENSITIVE}",
            body=proof,
            replies=[Reply(204, "It is deleted; every session has ended")],
            errors=[*_PROOF, Kind.CONFLICT],
        )

    def _own(self, method: str, path: str, handler: Any, **more: Any) -> Route:
        return Route(
            method=method,
            path=f"/v1/users/me{path}",
            handler=handler,
            tag=TAG,
            permission="users:self",
            service="auth",
            finishes=method != "GET",
            **more,
        )

    async def sessions(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users/me/sessions"""
        query = request.query()
        page = query.page()
        query.check()
        return answer(await self.accounts.sessions(request.caller, page))

    async def end_others(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/me/sessions"""
        return answer(await self.accounts.end_other_sessions(request.caller))

    async def end_one(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/me/sessions/{id}"""
        session_id = request.arguments["id"]
        await self.accounts.end_session(request.caller, session_id)
        # Not waiting for the feed: the answer promises that the tokens are dead.
        self.gatekeeper.forget(session_id)
        return nothing()

    async def change_password(self, request: Incoming) -> web.StreamResponse:
        """PUT /v1/users/me/password"""
        body = request.read(PasswordChange)
        presence = _presence(request, body.current_password)
        await self.accounts.change_password(presence, body.new_password)
        return nothing()

    async def change_email(self, request: Incoming) -> web.StreamResponse:
        """PUT /v1/users/me/email"""
        body = request.read(EmailChange)
        await self.accounts.change_email(_presence(request, body.password), body.email)
        return answer(Noted("Use the link that is mailed to the new address"), 202)

    async def export(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users/me/export"""
        return answer(await self.accounts.export_me(_presence(request, None)))

    async def deactivate(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/me/deactivate"""
        await self.accounts.deactivate_me(_proved(request))
        return self._gone(request)

    async def delete(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/me"""
        await self.accounts.delete_me(_proved(request))
        return self._gone(request)

    def _gone(self, request: Incoming) -> web.StreamResponse:
        self.gatekeeper.forget(request.caller.principal.session_id or "")
        return nothing()


def _proved(request: Incoming) -> Presence:
    proof = request.read(Proof) if request.body else Proof()
    return _presence(request, proof.password)


def _presence(request: Incoming, password: str | None) -> Presence:
    return Presence(request.caller, origin_of(request), password)
