"""Documents of the operator: ``file:`` is only for what is in a folder that was set for it."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path
from urllib.parse import unquote, urlsplit

from workflow_service.application.resource_ports import ResourceFailed
from workflow_service.domain.bounds import beyond
from workflow_service.domain.execution.problem import ERRORS, Problem


class Folder:
    """Gives files of one folder, or of none."""

    def __init__(self, path: Path | None, limit: int) -> None:
        self._path = None if path is None else path.resolve()
        self._limit = limit

    async def read(self, uri: str) -> tuple[bytes, str]:
        """Return content and media type of the file at *uri*.

        Raises:
            ResourceFailed: it is not in the folder, whether or not it exists elsewhere; or it is too large.
        """
        if self._path is None:
            raise ResourceFailed(_REFUSED)
        return await asyncio.to_thread(self._read, self._path, uri)

    def _read(self, folder: Path, uri: str) -> tuple[bytes, str]:
        path = _inside(folder, uri)
        try:
            with path.open("rb") as file:
                content = file.read(self._limit + 1)
        except OSError:
            raise ResourceFailed(_REFUSED) from None
        if len(content) > self._limit:
            raise ResourceFailed(too_large(self._limit))
        return content, mimetypes.guess_type(path.name)[0] or ""


def _inside(folder: Path, uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost") or "\0" in uri:
        raise ResourceFailed(_REFUSED)
    try:
        # Links are followed before it is judged, so that none leads out.
        found = Path(unquote(parts.path)).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise ResourceFailed(_REFUSED) from None
    if not found.is_relative_to(folder) or not found.is_file():
        raise ResourceFailed(_REFUSED)
    return found


def too_large(limit: int) -> Problem:
    """Say that a document is beyond its bound of *limit* bytes."""
    told = beyond(f"the resource is larger than {limit} bytes", "resource_bytes")
    return Problem(ERRORS + "communication", 500, "Resource too large", told)


_REFUSED = Problem(
    ERRORS + "authorization",
    403,
    "Resource refused",
    "There is no such file that workflows may read (setting AUTOWORKER_RESOURCE_FOLDER).",
)
