"""A file of keys that wrap other keys: one a line, as its id and base64. The last one is the current one.

Older ones stay until nothing is wrapped with them any more. The file is readable by its owner only.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chassis.crypto.sealing import KEY_BYTES, new_key
from chassis.drafts import create, draft
from chassis.errors import CannotStart

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class WrappingKeys:
    """The keys of a file."""

    current: str
    """Id of the key that wraps from now on."""
    keys: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"WrappingKeys(current={self.current!r}, ids={sorted(self.keys)})"


def ephemeral() -> WrappingKeys:
    """A key that nobody keeps, for what is not kept either."""
    return WrappingKeys("ephemeral", {"ephemeral": new_key()})


def load_or_create(path: Path) -> WrappingKeys:
    """The keys in the file at *path*, which is made with one key when there is none.

    Raises:
        CannotStart: the file cannot be used.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create(path, _line().encode("ascii"))
    except OSError as exc:
        raise CannotStart(f"cannot use the keys in {path}: {exc}") from exc
    return load(path)


def load(path: Path) -> WrappingKeys:
    """The keys in the file at *path*.

    Raises:
        CannotStart: the file is not there or cannot be used.
    """
    try:
        return _parsed(path, path.read_text("ascii"))
    except (OSError, UnicodeDecodeError) as exc:
        raise CannotStart(f"cannot use the keys in {path}: {exc}") from exc


def add_key(path: Path) -> str:
    """Add a key to the file, which makes it the current one; return its id.

    Raises:
        CannotStart: the file cannot be used.
    """
    load_or_create(path)
    try:
        line = _line()
        text = path.read_text("ascii")
        whole = text + ("" if text.endswith("\n") else "\n") + line
        draft(path, whole.encode("ascii")).replace(path)
    except OSError as exc:
        raise CannotStart(f"cannot add a key to {path}: {exc.strerror}") from exc
    return line.partition(" ")[0]


def _line() -> str:
    return f"{os.urandom(6).hex()} {base64.b64encode(new_key()).decode()}\n"


def _parsed(path: Path, text: str) -> WrappingKeys:
    keys: dict[str, bytes] = {}
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        name, _, encoded = line.partition(" ")
        key = _key(encoded.strip())
        if _ID.fullmatch(name) is None or key is None or name in keys:
            raise CannotStart(
                f"line {number} of {path} is not a new id, a space and 32 bytes in base64"
            )
        keys[name] = key
    if not keys:
        raise CannotStart(f"{path} has no key")
    return WrappingKeys(next(reversed(keys)), keys)


def _key(encoded: str) -> bytes | None:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
