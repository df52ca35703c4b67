"""Where the file of a cataloged function is.

Catalogs often live in repositories whose hosts show files on pages; what is wanted is the file itself.

Source: Open Workflow Specification, DSL, "Catalogs", "File Structure".
"""

from __future__ import annotations

import re
from typing import Final

_GITHUB: Final = re.compile(
    r"https?://(?:www\.)?github\.com/([^/?#]+)/([^/?#]+?)(?:\.git)?(?:/(?:tree|blob|raw)/([^/?#]+)(/[^?#]*)?)?/?(?:[?#].*)?",
    re.IGNORECASE,
)
_GITLAB_PAGE: Final = re.compile(
    r"(https?://[^/?#]+/[^?#]+?)/-/(?:tree|blob|raw)/([^/?#]+)(/[^?#]*)?(?:[?#].*)?", re.IGNORECASE
)
_GITLAB_ROOT: Final = re.compile(
    r"(https?://gitlab\.com/[^/?#]+/[^?#]+?)(?:\.git)?/?", re.IGNORECASE
)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def function_uri(root: str, path: str) -> str:
    """Return the address of the file at *path* below a catalog's *root*."""
    below = raw_root(root)
    return f"{below.rstrip('/')}/{path}"


def raw_root(uri: str) -> str:
    """Return where the files are that a page of GitHub or GitLab at *uri* shows; any other address as it is."""
    if found := _GITHUB.fullmatch(uri):
        owner, repository, ref, folder = found.groups()
        where = _ref(ref) if ref else "HEAD"
        return f"https://raw.githubusercontent.com/{owner}/{repository}/{where}{folder or ''}"
    if found := _GITLAB_PAGE.fullmatch(uri):
        project, ref, folder = found.groups()
        return f"{project}/-/raw/{ref}{folder or ''}"
    if found := _GITLAB_ROOT.fullmatch(uri):
        return f"{found[1]}/-/raw/HEAD"
    return uri


def _ref(ref: str) -> str:
    """Name a branch as the standard does; a commit has no other name."""
    return ref if ref == "HEAD" or _COMMIT.fullmatch(ref) else f"refs/heads/{ref}"
