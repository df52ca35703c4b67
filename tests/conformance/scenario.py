"""Scenarios: what the standard asks for, each as a small workflow with all that comes of it. See README.md."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from autoworker.testing.cases import Case, read_as
from workflow_service.domain.definition.not_yet import NOT_YET
from workflow_service.domain.expressions import JsonValue

FOLDER: Final = Path(__file__).parent / "scenarios"
Way: TypeAlias = Literal["core", "suite", "crash"]
WAYS: Final[tuple[Way, ...]] = ("core", "suite", "crash")
OUTSIDE: Final = "http://outside.test"
"""Where scenarios reach the world; the suite's stand-ins are elsewhere, and are put in its place."""


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reason for which a definition is not accepted."""

    field: str
    """JSON Pointer."""
    message: str = ""
    """Part of what is said."""


class Scenario(Case, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One scenario."""

    covers: list[str]
    """Sections of the standard: `anchor`, `anchor.property`, `dsl/anchor` … as sections.yaml has them."""
    definition: dict[str, JsonValue]
    """A document; `document` may be left out."""
    needs: list[str] = msgspec.field(default_factory=list)
    """Keys of NOT_YET: what has to be built before this can work."""
    only: list[Way] = msgspec.field(default_factory=lambda: list(WAYS))
    """The ways in which it is run."""
    because: str = ""
    """Why not in all ways."""
    refused: list[Refusal] = msgspec.field(default_factory=list)
    """What is wrong with the definition, when it is not to be accepted at all."""

    def __post_init__(self) -> None:
        if set(self.only) != set(WAYS) and not self.because:
            raise ValueError(
                f"{self.name!r} is not run in every way, and does not say why (because)"
            )

    @property
    def missing(self) -> list[str]:
        """What it needs and there is not yet."""
        return [feature for feature in self.needs if feature in NOT_YET]

    def document(self, namespace: str = "conformance") -> dict[str, JsonValue]:
        """The whole document, in *namespace*."""
        head: dict[str, JsonValue] = {"dsl": "1.0.3", "name": "scenario", "version": "0.1.0"}
        given = self.definition.get("document")
        if isinstance(given, dict):
            head |= given
        return {**self.definition, "document": {**head, "namespace": namespace}}


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of scenarios."""

    scenarios: list[Scenario]


@cache
def scenarios() -> Sequence[Scenario]:
    """All of them, in the order of their files.

    Raises:
        CasesUnreadable: a file has a mistake; the message tells which and where.
    """
    found: list[Scenario] = []
    for path in sorted(FOLDER.rglob("*.yaml")):
        found += read_as(path.read_bytes(), File, str(path.relative_to(FOLDER))).scenarios
    names = [each.name for each in found]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"two scenarios have the same name: {twice}"
    return found


def run_by(way: Way) -> list[Scenario]:
    """The scenarios that are run in one way."""
    return [each for each in scenarios() if way in each.only]
