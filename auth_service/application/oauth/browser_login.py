"""Logging a user in with their browser."""

from dataclasses import dataclass

from auth_service.application.accounts.login_watch import LoginWatch
from auth_service.application.authentication import Authenticated
from auth_service.application.oauth.browsing import Cookie, Visit
from auth_service.application.oauth.digests import opaque
from auth_service.application.oauth.issuing import Issuing
from auth_service.application.ports.oauth import Browser, Browsers
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.oauth.authorization import Login
from auth_service.domain.oauth.client import OAuthPolicy
from auth_service.domain.session import RevocationReason, Session
from chassis.audit import Audit
from chassis.clock import Clock
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class BrowserLogin:
    """Makes a login of a browser: a new cookie, so that nobody can have planted it."""

    browsers: Browsers
    watch: LoginWatch
    issuing: Issuing
    policy: OAuthPolicy
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, outcome: Authenticated, visit: Visit, before: Cookie) -> Cookie:
        """The new cookie; what the old one began goes on under it."""
        now, user = self.clock.now(), outcome.user
        proof = Proof(now, outcome.methods)
        cookie = Cookie(opaque(self.issuing.randomness), is_new=True)
        session = Session(self.ids.new(), user.id, user.tenant, visit.origin, now, proof,
                          client_id=BROWSER)  # fmt: skip
        browser = Browser(
            cookie.digest, user.tenant, Login(user.id, session.id, proof), now + self.policy.browser
        )
        ending = self.issuing.ending(RevocationReason.LOGOUT)
        await self.browsers.open(browser, session, before=before.digest, ending=ending)
        self.audit.record(
            "logged_in",
            tenant=user.tenant,
            actor=user.id,
            session_id=session.id,
            network=visit.origin.network,
        )
        await self.watch.saw(user, visit.origin, failures=outcome.failures)
        return cookie


BROWSER = "browser"
"""The `client_id` of sessions that are logins in browsers: no other client has such an id."""
