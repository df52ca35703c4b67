"""The data directory: whose it is, and what lies in it for people on the same machine.

`lock` is held by the suite that runs on it, `run.json` says where that suite can be reached, and
`admin.json` keeps the generated password of the first administrator. All of it is for the owner of
the directory only, as the services' private keys beside it are.
"""

import base64
import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from chassis.errors import CannotStart

S = TypeVar("S", bound=msgspec.Struct)
_TRIES: Final = 5
_PAUSE: Final = 0.02


class RunFile(msgspec.Struct, frozen=True):
    """Where a running suite can be reached."""

    pid: int
    url: str
    services: dict[str, str]
    """gRPC addresses, host:port, by service."""
    admin: dict[str, str]
    """Where metrics and health are, host:port, by service."""


class AdminFile(msgspec.Struct, frozen=True):
    """Who can log in after the first start."""

    email: str
    password: str

    def __repr__(self) -> str:
        return f"AdminFile({self.email!r}, '***')"


def run_file(data_dir: Path) -> Path:
    """The file that a running suite writes."""
    return data_dir / "run.json"


def admin_file(data_dir: Path) -> Path:
    """The file with the first administrator's generated password."""
    return data_dir / "admin.json"


def read(path: Path, kind: type[S]) -> S | None:
    """What the file at *path* says; None when it is not there or says something else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def write(path: Path, content: msgspec.Struct) -> None:
    """Replace the file at *path* as a whole; nobody but its owner can read it.

    Raises:
        CannotStart: it cannot be written.
    """
    # A name of its own: whoever else writes at the same time must not write into it.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise CannotStart(f"cannot write {path}: {exc.strerror}") from exc


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Make the data directory and hold it: no other suite runs on it meanwhile.

    The lock goes with the process, however that ends.

    Raises:
        CannotStart: it cannot be used, or another suite holds it.
    """
    path = data_dir / "lock"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise CannotStart(
            f"the data directory {data_dir} cannot be used ({exc.strerror}); "
            "set AUTOWORKER_DATA_DIR to one that can"
        ) from exc
    try:
        _lock(handle, data_dir)
        yield
    finally:
        os.close(handle)


def in_use(data_dir: Path) -> bool:
    """Whether a suite runs on the data directory."""
    try:
        handle = os.open(data_dir / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def announced(data_dir: Path, content: RunFile) -> Iterator[None]:
    """Have `run.json` say *content*.

    Raises:
        CannotStart: it cannot be written.
    """
    write(run_file(data_dir), content)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            run_file(data_dir).unlink(missing_ok=True)


def first_administrator(data_dir: Path, email: str) -> tuple[AdminFile | None, bool]:
    """The administrator whose password nobody chose, and whether it was generated just now.

    Written before it is used, so that no crash can lose it. None when the users of this directory
    were made with a password that somebody chose.

    Raises:
        CannotStart: it cannot be written.
    """
    known = read(admin_file(data_dir), AdminFile)
    if known is not None or (data_dir / "auth.db").exists():
        return known, False
    fresh = AdminFile(email, generated_password())
    write(admin_file(data_dir), fresh)
    return fresh, True


def generated_password() -> str:
    """120 random bits, and one character of each kind that a policy may ask for."""
    return base64.urlsafe_b64encode(secrets.token_bytes(15)).decode() + "Aa1"


def _lock(handle: int, data_dir: Path) -> None:
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        # A command that only looks whether a suite runs holds the lock for a moment, too.
        time.sleep(_PAUSE)
    other = read(run_file(data_dir), RunFile)
    where = f" (process {other.pid}, {other.url})" if other else ""
    raise CannotStart(
        f"the data directory {data_dir} is in use by another suite{where}; "
        "stop it, or set AUTOWORKER_DATA_DIR to another directory"
    )
