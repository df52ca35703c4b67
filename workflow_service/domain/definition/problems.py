"""Collecting everything that is wrong with a document before saying so."""

from chassis.errors import FieldProblem, Invalid

_LONGEST = 2_000


class DefinitionInvalid(Invalid):
    """A document is well-formed, but is no definition that can be run; the details tell all reasons."""


class Problems:
    """The problems found so far, each once, in the order they were found."""

    def __init__(self) -> None:
        self._found: dict[FieldProblem, None] = {}
        self._touched: set[str] = set()

    def add(self, pointer: str, message: str) -> None:
        """Note that *message* is wrong at *pointer*."""
        shown = pointer if len(pointer) <= _LONGEST else f"{pointer[:_LONGEST]}…"
        self._found.setdefault(FieldProblem(shown, message))
        while pointer not in self._touched:
            self._touched.add(pointer)
            pointer = pointer.rpartition("/")[0]

    def any_within(self, pointer: str) -> bool:
        """Whether there is a problem at *pointer* or below it."""
        return pointer in self._touched

    def __len__(self) -> int:
        return len(self._found)

    def listed(self, limit: int) -> list[FieldProblem]:
        """Return at most *limit* problems; the last one then counts those that are left out."""
        found = list(self._found)
        if len(found) <= limit:
            return found
        more = FieldProblem("", f"there are {len(found) - limit + 1} more problems")
        return [*found[: limit - 1], more]
