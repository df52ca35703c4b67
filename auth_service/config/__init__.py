"""The settings of the auth service."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

from auth_service.application.accounts.mail_requests import MailRequestPolicy
from auth_service.application.guessing import GuessPolicy
from auth_service.config.mfa import MfaSettings, mfa_settings
from auth_service.config.tenants import tenants_of
from auth_service.domain.account import AccountPolicy
from auth_service.domain.oauth.client import LEGACY, OAuthPolicy
from auth_service.domain.policy import PasswordPolicy
from auth_service.domain.session import SessionPolicy
from auth_service.domain.signing_key import KeySchedule
from auth_service.domain.tenant import DEFAULT_TENANT
from auth_service.domain.user import email_problems
from chassis.backends import Backends, backends_of, store_folder, store_url
from chassis.config import Environment
from chassis.messaging.opening import BusSettings, bus_settings

FIRST_ADMINISTRATOR = "admin@autoworker.internal"
"""Who the first administrator is unless somebody says so; `.internal` is reserved for such uses."""

_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class FirstAdministratorSettings:
    """Who can log in after the very first start; without a password one is generated."""

    email: str = FIRST_ADMINISTRATOR
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HashingSettings:
    """How many passwords are hashed at once, and how many may wait. None: one per core."""

    workers: int | None = None
    queue: int = 64


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How long entries of the audit trail are kept, and where its checkpoints are written."""

    keep: timedelta | None = None
    """None: for ever."""
    checkpoints: Path | None = None
    """A folder, best on another disk; None: `audit` in the data directory."""
    checkpoint_every: float = 60.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator can decide about the auth service."""

    data_dir: Path = Path("data")
    store_dir: Path = Path("data")
    store_url: str | None = field(default=None, repr=False)
    """`mongodb://…`; None: a file in *store_dir*."""
    bus: BusSettings = field(default_factory=BusSettings)
    grpc_host: str = "127.0.0.1"
    grpc_port: int = 50051
    admin_host: str = "127.0.0.1"
    admin_port: int = 9101
    """Where notification_service is (host:port), unless it registers itself."""
    key_file: Path = Path("data/keys/auth.keys")
    """The keys that seal what is kept and must not be read from a stolen copy."""
    administrator: FirstAdministratorSettings = field(default_factory=FirstAdministratorSettings)
    tenants: frozenset[str] = frozenset({DEFAULT_TENANT})
    """Whose users there may be; each has a first administrator."""
    hashing: HashingSettings = field(default_factory=HashingSettings)
    passwords: PasswordPolicy = field(default_factory=PasswordPolicy)
    sessions: SessionPolicy = field(default_factory=SessionPolicy)
    keys: KeySchedule = field(default_factory=KeySchedule)
    guesses: GuessPolicy = field(default_factory=GuessPolicy)
    accounts: AccountPolicy = field(default_factory=AccountPolicy)
    mail_requests: MailRequestPolicy = field(default_factory=MailRequestPolicy)
    api_keys_per_user: int = 100
    backends: Backends = field(default_factory=Backends)
    audit: AuditSettings = field(default_factory=AuditSettings)
    oauth: OAuthPolicy = field(default_factory=OAuthPolicy)
    mfa: MfaSettings = field(default_factory=MfaSettings)

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read and check the settings.

        Raises:
            chassis.config.SettingsInvalid: with every problem.
        """
        passwords = _passwords(env)
        sessions = _sessions(env)
        data_dir = env.path("AUTOWORKER_DATA_DIR", Path("data"))
        settings = cls(
            data_dir=data_dir,
            store_dir=store_folder(env, data_dir),
            store_url=store_url(env),
            bus=bus_settings(env, data_dir),
            grpc_host=env.text("AUTOWORKER_AUTH_GRPC_HOST", "127.0.0.1"),
            grpc_port=env.port("AUTOWORKER_AUTH_GRPC_PORT", 50051),
            admin_host=env.text("AUTOWORKER_AUTH_ADMIN_HOST", "127.0.0.1"),
            admin_port=env.port("AUTOWORKER_AUTH_ADMIN_PORT", 9101),
            key_file=env.path("AUTOWORKER_AUTH_KEY_FILE", data_dir / "keys" / "auth.keys"),
            administrator=_administrator(env, passwords),
            tenants=tenants_of(env),
            hashing=_hashing(env),
            passwords=passwords,
            sessions=sessions,
            keys=_keys(env),
            guesses=_guesses(env),
            accounts=_accounts(env),
            mail_requests=_mail_requests(env),
            api_keys_per_user=env.integer(
                "AUTOWORKER_API_KEYS_PER_USER", 100, minimum=1, maximum=10_000
            ),
            backends=backends_of(env),
            audit=_audit(env),
            oauth=_oauth(env),
            mfa=mfa_settings(env),
        )
        env.check()
        return settings


def _administrator(env: Environment, policy: PasswordPolicy) -> FirstAdministratorSettings:
    email = env.text("AUTOWORKER_ADMIN_EMAIL", FIRST_ADMINISTRATOR)
    for problem in email_problems(email):
        env.problem("AUTOWORKER_ADMIN_EMAIL", problem.message)
    password = env.secret("AUTOWORKER_ADMIN_PASSWORD")
    if password is not None:
        for problem in policy.problems(password):
            env.problem("AUTOWORKER_ADMIN_PASSWORD", problem.message)
    return FirstAdministratorSettings(email, password)


def _hashing(env: Environment) -> HashingSettings:
    workers = env.integer("AUTOWORKER_AUTH_HASH_WORKERS", 0, minimum=0, maximum=64)
    queue = env.integer("AUTOWORKER_AUTH_HASH_QUEUE", 64, minimum=1, maximum=10_000)
    return HashingSettings(workers or None, queue)


def _passwords(env: Environment) -> PasswordPolicy:
    # NIST SP 800-63B-4: length counts, composition does not.
    nist = env.choice("AUTOWORKER_PASSWORD_RULES", "composition", ("composition", "nist")) == "nist"
    least, mixed = (15, False) if nist else (8, True)
    # A generated password has 23 characters and must fit in.
    return PasswordPolicy(
        min_length=env.integer("AUTOWORKER_PASSWORD_MIN_LENGTH", least, minimum=8, maximum=20),
        max_length=env.integer("AUTOWORKER_PASSWORD_MAX_LENGTH", 128, minimum=64, maximum=1024),
        upper=env.flag("AUTOWORKER_PASSWORD_REQUIRE_UPPER", mixed),
        lower=env.flag("AUTOWORKER_PASSWORD_REQUIRE_LOWER", mixed),
        digit=env.flag("AUTOWORKER_PASSWORD_REQUIRE_DIGIT", mixed),
        refuse_common=env.flag("AUTOWORKER_PASSWORD_REFUSE_COMMON", True),
    )


def _sessions(env: Environment) -> SessionPolicy:
    access = env.integer("AUTOWORKER_ACCESS_TOKEN_SECONDS", 600, minimum=30, maximum=3600)
    refresh = env.integer(
        "AUTOWORKER_REFRESH_TOKEN_SECONDS", 30 * _DAY, minimum=60, maximum=400 * _DAY
    )
    return SessionPolicy(
        access_token=timedelta(seconds=access), refresh_token=timedelta(seconds=refresh)
    )


def _keys(env: Environment) -> KeySchedule:
    days = env.number("AUTOWORKER_AUTH_KEY_ROTATION_DAYS", 30.0, minimum=0.1, maximum=3650.0)
    return KeySchedule(rotation=timedelta(days=days))


def _guesses(env: Environment) -> GuessPolicy:
    return GuessPolicy(
        per_account=env.integer(
            "AUTOWORKER_LOGIN_FAILURES_PER_ACCOUNT", 10, minimum=1, maximum=10_000
        ),
        per_address=env.integer(
            "AUTOWORKER_LOGIN_FAILURES_PER_ADDRESS", 300, minimum=1, maximum=1_000_000
        ),
        per_network=env.integer(
            "AUTOWORKER_LOGIN_FAILURES_PER_NETWORK", 900, minimum=1, maximum=1_000_000
        ),
        per_tenant=env.integer(
            "AUTOWORKER_LOGIN_FAILURES_PER_TENANT", 10_000, minimum=1, maximum=10_000_000
        ),
        window=env.number("AUTOWORKER_LOGIN_FAILURES_WINDOW", 300.0, minimum=1.0, maximum=86400.0),
    )


def _audit(env: Environment) -> AuditSettings:
    days = env.integer("AUTOWORKER_AUDIT_DAYS", 0, minimum=0, maximum=36_500)
    return AuditSettings(
        keep=timedelta(days=days) if days else None,
        checkpoints=_path(env, "AUTOWORKER_AUDIT_CHECKPOINTS"),
        checkpoint_every=env.number(
            "AUTOWORKER_AUDIT_CHECKPOINT_SECONDS", 60.0, minimum=1.0, maximum=86_400.0
        ),
    )


def _path(env: Environment, name: str) -> Path | None:
    text = env.optional(name)
    return Path(text) if text else None


def _oauth(env: Environment) -> OAuthPolicy:
    name, known = "AUTOWORKER_OAUTH_LEGACY_GRANTS", {grant.value: grant for grant in LEGACY}
    wanted = env.items(name)
    for unknown in set(wanted) - set(known):
        env.problem(name, f"{unknown!r} is neither password nor implicit")
    hours = env.number("AUTOWORKER_OAUTH_LOGIN_HOURS", 12.0, minimum=0.1, maximum=720.0)
    overlap = env.integer(
        "AUTOWORKER_OAUTH_SECRET_OVERLAP_SECONDS", _DAY, minimum=0, maximum=30 * _DAY
    )
    return OAuthPolicy(
        browser=timedelta(hours=hours),
        secret_overlap=timedelta(seconds=overlap),
        legacy=frozenset(known[each] for each in wanted if each in known),
    )


def _accounts(env: Environment) -> AccountPolicy:
    name = "AUTOWORKER_ACCOUNT_URL"
    url = env.url(name, "", ("https", "http")) if env.optional(name) else ""
    reset = env.integer("AUTOWORKER_RESET_LINK_SECONDS", 1_800, minimum=60, maximum=_DAY)
    verification = env.integer(
        "AUTOWORKER_EMAIL_LINK_SECONDS", _DAY, minimum=300, maximum=30 * _DAY
    )
    invitation = env.integer(
        "AUTOWORKER_INVITATION_SECONDS", 3 * _DAY, minimum=300, maximum=30 * _DAY
    )
    return AccountPolicy(
        reset=timedelta(seconds=reset),
        verification=timedelta(seconds=verification),
        invitation=timedelta(seconds=invitation),
        unverified_login=env.flag("AUTOWORKER_UNVERIFIED_LOGIN", True),
        account_url=url.rstrip("/"),
        public_url=env.origin("AUTOWORKER_PUBLIC_URL"),
    )


def _mail_requests(env: Environment) -> MailRequestPolicy:
    most = 1_000_000
    return MailRequestPolicy(
        per_account=env.integer("AUTOWORKER_MAILS_PER_ACCOUNT", 3, minimum=1, maximum=most),
        per_address=env.integer("AUTOWORKER_MAILS_PER_ADDRESS", 20, minimum=1, maximum=most),
        per_network=env.integer("AUTOWORKER_MAILS_PER_NETWORK", 60, minimum=1, maximum=most),
        per_tenant=env.integer("AUTOWORKER_MAILS_PER_TENANT", 2_000, minimum=1, maximum=most),
        window=env.number("AUTOWORKER_MAILS_WINDOW", 3_600.0, minimum=1.0, maximum=86_400.0),
    )
