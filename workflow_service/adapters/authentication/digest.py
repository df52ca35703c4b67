"""Digest access authentication: the answer to a challenge, without the password in it.

Source: RFC 7616.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from workflow_service.adapters.authentication.challenges import challenges
from workflow_service.domain.execution.credentials import DigestCredentials

_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_SESSION: Final = "-SESS"


@dataclass(frozen=True, slots=True)
class DigestChallenge:
    """What a server wants, as far as we can give it."""

    realm: str
    nonce: str
    algorithm: str | None
    """As the server spells it; None when it says nothing, which means MD5."""
    qop: str | None
    """``auth``, ``auth-int``, or None for servers of before 1999 (RFC 2069)."""
    opaque: str | None
    stale: bool
    userhash: bool

    @property
    def hash_name(self) -> str:
        """The algorithm without ``-sess``, in capitals."""
        return (self.algorithm or "MD5").upper().removesuffix(_SESSION)

    @property
    def per_session(self) -> bool:
        """Whether the password's hash is made for one session."""
        return (self.algorithm or "").upper().endswith(_SESSION)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that an answer is for."""

    method: str
    target: str
    """Path and query, as in the request line."""
    body: bytes


def digest_challenge(headers: Iterable[str]) -> DigestChallenge | None:
    """Return the first challenge that can be answered: the server prefers it to those that follow."""
    for challenge in challenges(headers):
        found = challenge.parameters
        if challenge.scheme != "digest" or "nonce" not in found:
            continue
        chosen = DigestChallenge(
            realm=found.get("realm", ""),
            nonce=found["nonce"],
            algorithm=found.get("algorithm"),
            qop=_quality(found.get("qop")),
            opaque=found.get("opaque"),
            stale=found.get("stale", "").lower() == "true",
            userhash=found.get("userhash", "").lower() == "true",
        )
        if chosen.hash_name in _HASHES and chosen.qop != "":
            return chosen
    return None


def _quality(offered: str | None) -> str | None:
    """Return which protection to use; empty when there is none that we know."""
    if offered is None:
        return None
    known = {each.strip().lower() for each in offered.split(",")}
    return next((each for each in ("auth", "auth-int") if each in known), "")


class DigestSession:
    """A server's nonce, and how often it was used."""

    def __init__(
        self,
        challenge: DigestChallenge,
        client_nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self.challenge = challenge
        self._client_nonce = client_nonce
        self._session_nonce = client_nonce()
        self._count = 0

    def authorization(self, credentials: DigestCredentials, asked: Asked) -> str:
        """Return the header for the next request."""
        self._count += 1
        challenge = self.challenge
        client_nonce = self._session_nonce if challenge.per_session else self._client_nonce()
        count = f"{self._count:08x}"
        first = self._secret_part(credentials)
        second = _hash(challenge, f"{asked.method}:{asked.target}{self._of_body(asked)}")
        middle = [challenge.nonce]
        if challenge.qop is not None:
            middle += [count, client_nonce, challenge.qop]
        response = _hash(challenge, ":".join((first, *middle, second)))
        return _header(challenge, credentials, asked.target, response, count, client_nonce)

    def _secret_part(self, credentials: DigestCredentials) -> str:
        challenge = self.challenge
        secret = f"{credentials.username}:{challenge.realm}:{credentials.password}"
        first = _hash(challenge, secret)
        if not challenge.per_session:
            return first
        return _hash(challenge, f"{first}:{challenge.nonce}:{self._session_nonce}")

    def _of_body(self, asked: Asked) -> str:
        if self.challenge.qop != "auth-int":
            return ""
        return f":{_hash(self.challenge, asked.body)}"


def _hash(challenge: DigestChallenge, data: str | bytes) -> str:
    content = data.encode() if isinstance(data, str) else data
    return hashlib.new(_HASHES[challenge.hash_name], content, usedforsecurity=False).hexdigest()


def _header(
    challenge: DigestChallenge,
    credentials: DigestCredentials,
    target: str,
    response: str,
    count: str,
    client_nonce: str,
) -> str:
    parts = [
        _user(challenge, credentials.username),
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(target)}",
        f'response="{response}"',
    ]
    if challenge.algorithm is not None:
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.opaque is not None:
        parts.append(f"opaque={_quoted(challenge.opaque)}")
    if challenge.qop is not None:
        parts += [f"qop={challenge.qop}", f"nc={count}", f'cnonce="{client_nonce}"']
    if challenge.userhash:
        parts.append("userhash=true")
    return "Digest " + ", ".join(parts)


def _user(challenge: DigestChallenge, username: str) -> str:
    if challenge.userhash:
        return f'username="{_hash(challenge, f"{username}:{challenge.realm}")}"'
    if username.isascii():
        return f"username={_quoted(username)}"
    return f"username*=UTF-8''{quote(username, safe='')}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
