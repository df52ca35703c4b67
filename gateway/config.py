"""The gateway's settings, read once."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from chassis.backends import Backends, backends_of
from chassis.caching.port import LimitPolicy
from chassis.config import ORIGIN, Environment
from chassis.rpc.balancing import Balance

Network = IPv4Network | IPv6Network
PRINCIPAL_RATE: Final = LimitPolicy("default", 6000, 60.0)
ADDRESS_RATE: Final = LimitPolicy("anonymous", 3000, 60.0)
AUTH_RATE: Final = LimitPolicy("auth", 1200, 60.0)
_RATE: Final = re.compile(r"([0-9]{1,9})/([0-9]{1,6})")
NAMES: Final = ("auth", "workflow", "notification")


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set; times are in seconds."""

    http_host: str = "127.0.0.1"
    http_port: int = 8080
    admin_host: str = "127.0.0.1"
    admin_port: int = 9100
    data_dir: Path = Path("data")
    public_url: str = ""
    """Under which address the world knows the gateway; "" is where it listens."""
    trusted_proxies: tuple[Network, ...] = ()
    ip_allow: tuple[Network, ...] = ()
    ip_deny: tuple[Network, ...] = ()
    cors_origins: tuple[str, ...] = ()
    principal_rate: LimitPolicy = PRINCIPAL_RATE
    address_rate: LimitPolicy = ADDRESS_RATE
    auth_rate: LimitPolicy = AUTH_RATE
    head_timeout: float = 10.0
    body_timeout: float = 60.0
    read_timeout: float = 30.0
    idle_timeout: float = 75.0
    max_connections: int = 10_000
    max_connections_per_address: int = 5_000
    max_body: int = 1024 * 1024
    heartbeat: float = 15.0
    drain_delay: float = 0.0
    drain_timeout: float = 10.0
    access_log: str = "auto"
    backends: Backends = field(default_factory=Backends)
    hedge_reads: float = 0.0
    """After so long a read is asked of a second instance as well; 0: never."""
    balance: Balance = Balance.ROUND_ROBIN

    @property
    def keys_dir(self) -> Path:
        """Where the services' keys are."""
        return self.data_dir / "keys"

    @classmethod
    def from_environment(cls, env: Environment) -> "Settings":
        """The settings of *env*; wrong ones are left as findings there, for its `check()`."""
        return cls(
            http_host=env.text("AUTOWORKER_HTTP_HOST", "127.0.0.1"),
            http_port=env.port("AUTOWORKER_HTTP_PORT", 8080),
            admin_host=env.text("AUTOWORKER_GATEWAY_ADMIN_HOST", "127.0.0.1"),
            admin_port=env.port("AUTOWORKER_GATEWAY_ADMIN_PORT", 9100),
            data_dir=env.path("AUTOWORKER_DATA_DIR", Path("data")),
            public_url=env.origin("AUTOWORKER_PUBLIC_URL"),
            trusted_proxies=_networks(env, "AUTOWORKER_TRUSTED_PROXIES"),
            ip_allow=_networks(env, "AUTOWORKER_IP_ALLOW"),
            ip_deny=_networks(env, "AUTOWORKER_IP_DENY"),
            cors_origins=_origins(env),
            principal_rate=_rate(env, "AUTOWORKER_RATE_LIMIT", PRINCIPAL_RATE),
            address_rate=_rate(env, "AUTOWORKER_ANONYMOUS_RATE_LIMIT", ADDRESS_RATE),
            auth_rate=_rate(env, "AUTOWORKER_AUTH_RATE_LIMIT", AUTH_RATE),
            head_timeout=_seconds(env, "AUTOWORKER_HEAD_TIMEOUT", 10.0),
            body_timeout=_seconds(env, "AUTOWORKER_BODY_TIMEOUT", 60.0),
            read_timeout=_seconds(env, "AUTOWORKER_READ_TIMEOUT", 30.0),
            idle_timeout=_seconds(env, "AUTOWORKER_IDLE_TIMEOUT", 75.0),
            max_connections=_count(env, "AUTOWORKER_MAX_CONNECTIONS", 10_000),
            max_connections_per_address=_count(
                env, "AUTOWORKER_MAX_CONNECTIONS_PER_ADDRESS", 5_000
            ),
            heartbeat=env.number("AUTOWORKER_SSE_HEARTBEAT", 15.0, minimum=0.05, maximum=300.0),
            drain_delay=env.number("AUTOWORKER_DRAIN_DELAY", 0.0, minimum=0.0, maximum=300.0),
            drain_timeout=env.number("AUTOWORKER_DRAIN_TIMEOUT", 10.0, minimum=0.1, maximum=600.0),
            access_log=env.choice("AUTOWORKER_ACCESS_LOG", "auto", ("auto", "on", "off")),
            backends=backends_of(env),
            hedge_reads=env.number("AUTOWORKER_HEDGE_READS", 0.0, minimum=0.0, maximum=30.0),
            balance=Balance(env.choice("AUTOWORKER_BALANCE", Balance.ROUND_ROBIN, list(Balance))),
        )


def _networks(env: Environment, name: str) -> tuple[Network, ...]:
    networks = list[Network]()
    for item in env.items(name):
        try:
            networks.append(ip_network(item, strict=False))
        except ValueError:
            env.problem(name, f"{item!r} is not a network such as 10.0.0.0/8")
    return tuple(networks)


def _origins(env: Environment) -> tuple[str, ...]:
    name, origins = "AUTOWORKER_CORS_ORIGINS", env.items("AUTOWORKER_CORS_ORIGINS")
    for origin in origins:
        if not ORIGIN.fullmatch(origin) or "*" in origin:
            env.problem(name, f"{origin!r} is not an origin such as https://app.example.com")
    return origins


def _rate(env: Environment, name: str, default: LimitPolicy) -> LimitPolicy:
    text = env.optional(name)
    if text is None:
        return default
    match = _RATE.fullmatch(text)
    if match is None or not int(match[1]) or not int(match[2]):
        env.problem(name, f"{text!r} is not a number of requests per seconds such as 600/60")
        return default
    return LimitPolicy(default.name, int(match[1]), float(match[2]))


def _seconds(env: Environment, name: str, default: float) -> float:
    return env.number(name, default, minimum=0.1, maximum=3600.0)


def _count(env: Environment, name: str, default: int) -> int:
    return env.integer(name, default, minimum=1, maximum=1_000_000)
