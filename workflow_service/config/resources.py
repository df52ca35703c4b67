"""What documents that stand elsewhere may take; see docs/egress.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from chassis.config import Environment

_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ResourceSettings:
    """What documents that stand elsewhere may take; see docs/egress.md."""

    bytes: int
    cache_bytes: int
    fresh_for: float
    folder: Path | None
    """From where workflows may read files; None: from nowhere."""
    default_catalog: str | None
    """The catalog that documents need not name: an address, or a folder; None: functions that are served."""

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the settings; problems are told by the environment's own check."""
        return cls(
            bytes=env.integer(
                "AUTOWORKER_LIMIT_RESOURCE_BYTES",
                4 * _MEBIBYTE,
                minimum=1024,
                maximum=64 * _MEBIBYTE,
            ),
            cache_bytes=env.integer(
                "AUTOWORKER_RESOURCE_CACHE_BYTES",
                32 * _MEBIBYTE,
                minimum=0,
                maximum=4096 * _MEBIBYTE,
            ),
            fresh_for=env.number(
                "AUTOWORKER_RESOURCE_FRESH_SECONDS", 60.0, minimum=0.0, maximum=86_400.0
            ),
            folder=_folder(env),
            default_catalog=_catalog(env),
        )


def _folder(env: Environment) -> Path | None:
    name = "AUTOWORKER_RESOURCE_FOLDER"
    if env.optional(name) is None:
        return None
    folder = env.path(name, Path())
    if not folder.is_dir():
        env.problem(name, f"{folder} is not a folder")
    return folder


def _catalog(env: Environment) -> str | None:
    name = "AUTOWORKER_DEFAULT_CATALOG"
    root = env.optional(name)
    if (
        root is not None
        and not root.startswith(("https://", "http://"))
        and not Path(root).is_dir()
    ):
        env.problem(name, f"{root} is neither an https address nor a folder")
    return root
