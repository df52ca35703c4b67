"""Which backends a service runs on: chosen by URL, the embedded ones by default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from chassis.config import Environment

PORTS: Final = {"auth": 50051, "workflow": 50052, "notification": 50053}
"""Where services listen for each other, unless somebody says otherwise."""


_MONGODB: Final = ("mongodb://", "mongodb+srv://")


@dataclass(frozen=True, slots=True)
class Backends:
    """Where what the services share is; the embedded ones by default."""

    cache_url: str = field(default="memory://", repr=False)
    registry_url: str = field(default="static://", repr=False)
    advertised_host: str | None = None
    """Where others reach this process; None: where it listens."""
    services: Mapping[str, str] = field(
        default_factory=lambda: {name: f"127.0.0.1:{port}" for name, port in PORTS.items()}
    )
    """Where each service is, by its name, when no registry knows better."""


def store_url(env: Environment) -> str | None:
    """The `mongodb://…` of `AUTOWORKER_STORE_URL`, which may hold a password; None: each service has a file."""
    url = env.secret("AUTOWORKER_STORE_URL")
    return url if url is not None and url.startswith(_MONGODB) else None


def store_folder(env: Environment, data_dir: Path) -> Path:
    """The folder of `AUTOWORKER_STORE_URL`, in which each service has a database file of its own.

    As in SQLAlchemy, `sqlite:///folder` is relative and `sqlite:////folder` absolute; without a folder it
    is *data_dir*. A wrong URL is left as a finding in *env*.
    """
    if store_url(env) is not None:
        return data_dir
    url = env.url("AUTOWORKER_STORE_URL", "sqlite://", ["sqlite", "mongodb", "mongodb+srv"])
    parts = urlsplit(url)
    if parts.netloc or parts.query or parts.fragment:
        env.problem("AUTOWORKER_STORE_URL", "must have the form sqlite:///folder")
    folder = unquote(parts.path)
    return Path(folder.removeprefix("/")) if folder.strip("/") else data_dir


def backends_of(env: Environment) -> Backends:
    """What *env* says of them; wrong URLs are left as findings there."""
    return Backends(
        cache_url=env.url("AUTOWORKER_CACHE_URL", "memory://", ["memory", "redis", "rediss"]),
        registry_url=env.url(
            "AUTOWORKER_REGISTRY_URL", "static://", ["static", "dns", "consul", "consul+https"]
        ),
        advertised_host=env.optional("AUTOWORKER_ADVERTISED_HOST"),
        services={name: place for name in PORTS if (place := _known_place(env, name))},
    )


def _known_place(env: Environment, name: str) -> str | None:
    """Where the service is, unless it takes a free port: then only a registry knows."""
    place = service_address(env, name)
    return None if place.endswith(":0") else place


def service_address(env: Environment, name: str) -> str:
    """Where the service *name* is, as `host:port`, by `AUTOWORKER_…_GRPC_HOST` and `_PORT`."""
    prefix = f"AUTOWORKER_{name.upper()}_GRPC"
    host = env.text(f"{prefix}_HOST", "127.0.0.1")
    return f"{host}:{env.port(f'{prefix}_PORT', PORTS[name])}"
