"""The settings of the auth service."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

from auth_service.application.guessing import GuessPolicy
from auth_service.domain.policy import PasswordPolicy
from auth_service.domain.session import SessionPolicy
from auth_service.domain.signing_key import KeySchedule
from auth_service.domain.user import email_problems
from chassis.backends import check_backends, store_folder
from chassis.config import Environment

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
class Settings:
    """Everything that an operator can decide about the auth service."""

    data_dir: Path = Path("data")
    store_dir: Path = Path("data")
    grpc_host: str = "127.0.0.1"
    grpc_port: int = 50051
    admin_host: str = "127.0.0.1"
    admin_port: int = 9101
    administrator: FirstAdministratorSettings = field(default_factory=FirstAdministratorSettings)
    hashing: HashingSettings = field(default_factory=HashingSettings)
    passwords: PasswordPolicy = field(default_factory=PasswordPolicy)
    sessions: SessionPolicy = field(default_factory=SessionPolicy)
    keys: KeySchedule = field(default_factory=KeySchedule)
    guesses: GuessPolicy = field(default_factory=GuessPolicy)

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
            grpc_host=env.text("AUTOWORKER_AUTH_GRPC_HOST", "127.0.0.1"),
            grpc_port=env.port("AUTOWORKER_AUTH_GRPC_PORT", 50051),
            admin_host=env.text("AUTOWORKER_AUTH_ADMIN_HOST", "127.0.0.1"),
            admin_port=env.port("AUTOWORKER_AUTH_ADMIN_PORT", 9101),
            administrator=_administrator(env, passwords),
            hashing=_hashing(env),
            passwords=passwords,
            sessions=sessions,
            keys=_keys(env),
            guesses=_guesses(env),
        )
        check_backends(env)
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
    # A generated password has 23 characters and must fit in.
    return PasswordPolicy(
        min_length=env.integer("AUTOWORKER_PASSWORD_MIN_LENGTH", 8, minimum=8, maximum=20),
        max_length=env.integer("AUTOWORKER_PASSWORD_MAX_LENGTH", 128, minimum=64, maximum=1024),
        upper=env.flag("AUTOWORKER_PASSWORD_REQUIRE_UPPER", True),
        lower=env.flag("AUTOWORKER_PASSWORD_REQUIRE_LOWER", True),
        digit=env.flag("AUTOWORKER_PASSWORD_REQUIRE_DIGIT", True),
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
        per_network=env.integer(
            "AUTOWORKER_LOGIN_FAILURES_PER_ADDRESS", 300, minimum=1, maximum=1_000_000
        ),
        window=env.number("AUTOWORKER_LOGIN_FAILURES_WINDOW", 300.0, minimum=1.0, maximum=86400.0),
    )
