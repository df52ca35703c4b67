"""Where the suite is, and as whom to talk to it.

Where: `--url`, AUTOWORKER_URL, the suite that runs on the data directory, the last login, and
http://127.0.0.1:8080, whichever is known first.

As whom: AUTOWORKER_API_KEY; AUTOWORKER_TOKEN; AUTOWORKER_EMAIL with AUTOWORKER_PASSWORD (of AUTOWORKER_TENANT); the login that is kept for
that address; and the first administrator, when the suite runs on this machine and the data
directory is ours to read, as long as its generated password is kept there.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from autoworker import data_dir
from autoworker.client import Client
from autoworker.data_dir import AdminFile, RunFile
from autoworker.errors import Unauthenticated
from autoworker.model import Tokens
from autoworker.sessions import MARGIN
from chassis.clock import SystemClock
from chassis.config import Environment

DEFAULT_URL: Final = "http://127.0.0.1:8080"


class Login(msgspec.Struct, frozen=True):
    """A session that is kept between commands."""

    email: str
    access_token: str
    refresh_token: str
    good_until: datetime


class Logins(msgspec.Struct, frozen=True):
    """The file of kept sessions, by address."""

    last: str = ""
    sessions: dict[str, Login] = {}


class LoginStore:
    """Keeps sessions in a file that only its owner can read; no password is ever kept."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "autoworker" / "sessions.json"

    def read(self) -> Logins:
        """What is kept."""
        return data_dir.read(self._path, Logins) or Logins()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Logins]:
        """What is kept, while no other command changes it.

        A refresh token may be used once; two commands that use the same one would end the session.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
            yield self.read()
        finally:
            os.close(handle)

    def write(self, url: str, login: Login | None) -> None:
        """Keep *login* for *url*, None forgets it; only while `changing`."""
        sessions = {place: kept for place, kept in self.read().sessions.items() if place != url}
        if login is not None:
            sessions[url] = login
        data_dir.write(self._path, Logins(url if login else "", sessions))


class KeptSession:
    """The session that a login left behind; refreshed when it is time, and kept again."""

    def __init__(self, store: LoginStore, url: str) -> None:
        self._store = store
        self._url = url

    async def token(self, *, refused: str | None = None) -> str | None:
        """An access token that is good for a while."""
        async with self._store.changing() as logins:
            login = logins.sessions.get(self._url)
            if login is None:
                return None
            margin = timedelta(seconds=MARGIN)
            if login.access_token != refused and SystemClock().now() + margin < login.good_until:
                return login.access_token
            try:
                async with Client(self._url) as client:
                    tokens = await client.refresh(login.refresh_token)
            except Unauthenticated:
                self._store.write(self._url, None)
                raise
            self._store.write(self._url, kept(login.email, tokens))
            return tokens.access_token


def kept(email: str, tokens: Tokens) -> Login:
    """*tokens* as they are kept."""
    until = SystemClock().now() + timedelta(seconds=tokens.expires_in)
    return Login(email, tokens.access_token, tokens.refresh_token, until)


def login_store(env: Environment) -> LoginStore:
    """The user's own, below XDG_STATE_HOME."""
    return LoginStore(env.path("XDG_STATE_HOME", Path.home() / ".local" / "state"))


def local_suite(env: Environment) -> RunFile | None:
    """The suite that runs on the data directory, if one does.

    A file that a crash left behind does not count: somebody else may have the address by now.
    """
    folder = env.path("AUTOWORKER_DATA_DIR", Path("data"))
    return data_dir.read(data_dir.run_file(folder), RunFile) if data_dir.in_use(folder) else None


def url_of(given: str | None, env: Environment) -> str:
    """The address to talk to."""
    local = local_suite(env)
    return (
        given
        or env.optional("AUTOWORKER_URL")
        or (local.url if local else None)
        or login_store(env).read().last
        or DEFAULT_URL
    ).rstrip("/")


def connected(given: str | None) -> Client:
    """A client for the address that is meant, as whoever is meant."""
    env = Environment()
    url = url_of(given, env)
    token = env.secret("AUTOWORKER_API_KEY") or env.secret("AUTOWORKER_TOKEN")
    if token is not None:
        return Client(url, token=token)
    email, password = env.optional("AUTOWORKER_EMAIL"), env.secret("AUTOWORKER_PASSWORD")
    if email is not None and password is not None:
        tenant = env.text("AUTOWORKER_TENANT", "default")
        return Client(url, email=email, password=password, tenant=tenant)
    store = login_store(env)
    if url in store.read().sessions:
        return Client(url, session=KeptSession(store, url))
    administrator = _local_administrator(url, env)
    if administrator is not None:
        return Client(url, email=administrator.email, password=administrator.password)
    return Client(url)


def _local_administrator(url: str, env: Environment) -> AdminFile | None:
    """Never for another address than that of our own suite: it would be given the password."""
    local = local_suite(env)
    if local is None or local.url != url:
        return None
    folder = env.path("AUTOWORKER_DATA_DIR", Path("data"))
    return data_dir.read(data_dir.admin_file(folder), AdminFile)
