import pytest

from autoworker.errors import Unauthenticated
from autoworker.model import Tokens
from autoworker.sessions import FixedToken, PasswordSession


class Server:
    """Gives tokens, and remembers who asked how."""

    def __init__(self, *, expires_in: int = 600) -> None:
        self.asked: list[str] = []
        self.expires_in = expires_in
        self.session_ended = False

    async def login(self) -> Tokens:
        return self._tokens("login")

    async def refresh(self, token: str) -> Tokens:
        if self.session_ended:
            raise Unauthenticated(401, "UNAUTHENTICATED", "over")
        return self._tokens(f"refresh {token}")

    def _tokens(self, how: str) -> Tokens:
        self.asked.append(how)
        number = len(self.asked)
        return Tokens(f"access-{number}", f"refresh-{number}", self.expires_in)

    def session(self) -> PasswordSession:
        return PasswordSession(self.login, self.refresh)


async def test_a_session_logs_in_once_while_its_token_is_good() -> None:
    server = Server()
    session = server.session()

    assert [await session.token(), await session.token()] == ["access-1", "access-1"]
    assert server.asked == ["login"]


async def test_a_token_that_is_about_to_end_is_refreshed_before_it_does() -> None:
    server = Server(expires_in=10)
    session = server.session()

    assert [await session.token(), await session.token()] == ["access-1", "access-2"]
    assert server.asked == ["login", "refresh refresh-1"]


async def test_a_token_that_was_refused_is_not_used_again() -> None:
    server = Server()
    session = server.session()
    token = await session.token()

    assert await session.token(refused=token) == "access-2"
    assert await session.token(refused=token) == "access-2"


async def test_a_session_that_was_ended_is_opened_anew() -> None:
    server = Server()
    session = server.session()
    token = await session.token()
    server.session_ended = True

    assert await session.token(refused=token) == "access-2"
    assert server.asked == ["login", "login"]


@pytest.mark.parametrize("token", [None, "t"])
async def test_a_fixed_token_stays_what_it_is(token: str | None) -> None:
    assert await FixedToken(token).token(refused=token) == token
