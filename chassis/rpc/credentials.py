"""Proving who calls: a service by a key of its own, a user by a token for one service.

Each service makes its key at first start. The public halves lie beside each other in one folder, so
services that share it (or have it mounted) know each other, and nobody else.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.clock import Clock, SystemClock
from chassis.drafts import create, draft
from chassis.errors import CannotStart
from chassis.ids import Ids, RandomIds
from chassis.rpc.context import Principal
from chassis.rpc.jws import TokenRefused, claims_of, header_of, on_p256, sign
from chassis.rpc.keys import KeySource, PublicKey

SERVICE_TYP = "svc+jwt"
USER_TYP = "int+jwt"
USER_ISSUER = "autoworker"

_LIFE = 60
_RENEW = 20
"""Seconds before its end at which a token is replaced: longer than a call usually takes."""
_CACHED = 10_000
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def audience_of(service: str) -> str:
    """The `aud` of tokens for *service*."""
    return f"svc:{service}"


class ServiceIdentity:
    """What a service proves itself with. `load_or_create` makes it."""

    def __init__(
        self, service: str, key: ec.EllipticCurvePrivateKey, *, clock: Clock, ids: Ids
    ) -> None:
        self.service = service
        self._key = key
        self._clock = clock
        self._ids = ids
        self._tokens: dict[str, tuple[str, float]] = {}

    @classmethod
    def load_or_create(
        cls, keys_dir: Path, service: str, *, clock: Clock | None = None, ids: Ids | None = None
    ) -> Self:
        """The identity of *service* from `<service>.pem`, made now when there is none.

        The public half in `<service>.pub.pem` is written anew when it does not match.

        Raises:
            CannotStart: the folder or the key cannot be used.
        """
        if _NAME.fullmatch(service) is None:
            raise ValueError(f"{service!r} is no name of a service")
        try:
            keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = _load_or_create(keys_dir / f"{service}.pem")
            _publish(keys_dir / f"{service}.pub.pem", key)
        except OSError as exc:
            raise CannotStart(f"cannot use the keys in {keys_dir}: {exc.strerror}") from exc
        return cls(service, key, clock=clock or SystemClock(), ids=ids or RandomIds())

    def token(self, audience: str) -> str:
        """A token of this service for *audience* (`svc:workflow`), good for some seconds yet."""
        now = self._clock.now().timestamp()
        token, expires = self._tokens.get(audience, ("", 0.0))
        # The second condition: after the clock was set back, an old token is from the future.
        if expires - now < _RENEW or expires - now > _LIFE:
            expires = int(now) + _LIFE
            token = sign(self._claims(audience, int(now)), self._key, typ=SERVICE_TYP)
            self._tokens[audience] = (token, expires)
        return token

    @property
    def public_key(self) -> PublicKey:
        """What proves its tokens."""
        return self._key.public_key()

    def signed(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """A token of a kind of one's own, which only who knows that kind accepts.

        Raises:
            ValueError: *typ* is a kind that stands for a service or a user.
        """
        if typ in (SERVICE_TYP, USER_TYP):
            raise ValueError(f"{typ} is not a kind of one's own")
        return sign(claims, self._key, typ=typ)

    def _claims(self, audience: str, now: int) -> Mapping[str, Any]:
        name = f"svc:{self.service}"
        return {
            "iss": name,
            "sub": name,
            "aud": audience,
            "iat": now,
            "exp": now + _LIFE,
            "jti": self._ids.new(),
        }


class TokenVerifier:
    """Verifies what callers of one service present: tokens of services and of users.

    A result is kept until the token expires, under its SHA-256, since a signature costs 100 us.

    Args:
        audience: who the tokens must be for (`svc:workflow`).
        keys_dir: where the services' public keys lie.
        keys: where the keys of users' tokens are; None refuses users.
        clock: what expiry is measured with.
    """

    def __init__(
        self,
        audience: str,
        keys_dir: Path,
        keys: KeySource | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._audience = audience
        self._services = _ServiceKeys(keys_dir)
        self._keys = keys
        self._clock = clock or SystemClock()
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Whom *token* stands for.

        Raises:
            TokenRefused: it proves nothing, here and now.
            Unavailable: the keys to tell cannot be had.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is not None:
            if known[1] > self._clock.now().timestamp():
                self._known.move_to_end(digest)
                return known[0]
            del self._known[digest]
        principal, expires = await self._proved(token)
        self._known[digest] = (principal, expires)
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return principal

    async def _proved(self, token: str) -> tuple[Principal, float]:
        header = header_of(token)
        match header.typ:
            case "svc+jwt":
                return self._service(token)
            case "int+jwt" if self._keys is not None and header.kid is not None:
                return self._user(token, await self._keys.key(header.kid))
            case _:
                raise TokenRefused("typ")

    def _service(self, token: str) -> tuple[Principal, float]:
        name = _unproved_service(token)
        claims = claims_of(
            token,
            self._services.key(name),
            typ=SERVICE_TYP,
            issuer=f"svc:{name}",
            audience=self._audience,
            now=self._clock.now(),
        )
        if claims["sub"] != claims["iss"] or claims["exp"] - claims["iat"] > _LIFE:
            raise TokenRefused("claims")
        return Principal(id=name, tenant="", kind="service"), claims["exp"]

    def _user(self, token: str, key: PublicKey) -> tuple[Principal, float]:
        claims = claims_of(
            token,
            key,
            typ=USER_TYP,
            issuer=USER_ISSUER,
            audience=self._audience,
            now=self._clock.now(),
            required=("tenant", "roles", "permissions"),
        )
        try:
            principal = Principal.of_claims(claims)
        except ValueError as exc:
            raise TokenRefused("claims") from exc
        return principal, claims["exp"]


class _ServiceKeys:
    """The public keys in a folder; a file that changed is read again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int, PublicKey]] = {}

    def key(self, name: str) -> PublicKey:
        path = self._folder / f"{name}.pub.pem"
        try:
            changed = path.stat().st_mtime_ns
            known = self._known.get(name)
            if known is None or known[0] != changed:
                key = on_p256(serialization.load_pem_public_key(path.read_bytes()))
                known = self._known[name] = (changed, key)
        except (OSError, ValueError) as exc:
            raise TokenRefused("unknown service") from exc
        return known[1]


def _unproved_service(token: str) -> str:
    """The service that *token* claims to be from: only good for finding the key to prove it."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, RecursionError) as exc:
        raise TokenRefused("claims") from exc
    name = issuer.removeprefix("svc:") if isinstance(issuer, str) else ""
    if issuer != f"svc:{name}" or _NAME.fullmatch(name) is None:
        raise TokenRefused("issuer")
    return name


def _load_or_create(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        create(path, pem)
    try:
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as exc:
        raise CannotStart(f"{path} does not hold a private key") from exc
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or loaded.curve.name != "secp256r1":
        raise CannotStart(f"{path} does not hold a key on P-256")
    return loaded


def _publish(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if not path.exists() or path.read_bytes() != pem:
        draft(path, pem).replace(path)
