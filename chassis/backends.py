"""Which backends a service runs on: chosen by URL, the embedded ones by default."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from chassis.config import Environment


def store_folder(env: Environment, data_dir: Path) -> Path:
    """The folder of `AUTOWORKER_STORE_URL`, in which each service has a database file of its own.

    As in SQLAlchemy, `sqlite:///folder` is relative and `sqlite:////folder` absolute; without a folder it
    is *data_dir*. A wrong URL is left as a finding in *env*.
    """
    url = env.url("AUTOWORKER_STORE_URL", "sqlite://", ["sqlite"])
    parts = urlsplit(url)
    if parts.netloc or parts.query or parts.fragment:
        env.problem("AUTOWORKER_STORE_URL", "must have the form sqlite:///folder")
    folder = unquote(parts.path)
    return Path(folder.removeprefix("/")) if folder.strip("/") else data_dir


def check_backends(env: Environment) -> None:
    """Leave a finding in *env* for every other backend that is not there."""
    env.url("AUTOWORKER_BUS_URL", "memory://", ["memory"])
    env.url("AUTOWORKER_CACHE_URL", "memory://", ["memory"])
    env.url("AUTOWORKER_REGISTRY_URL", "static://", ["static"])
