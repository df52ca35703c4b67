"""Second layer of validation: what every part of a definition is built with.

Reading a part and finding what is wrong with its meaning are one act: a part that is wrong leaves a problem behind and
something harmless in its place, so that the rest of the document is read, too, and all problems are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.durations import duration_seconds
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.definition.model import (
    Duration,
    FixedDuration,
    Reference,
    Task,
    TaskList,
)
from workflow_service.domain.definition.not_yet import not_yet
from workflow_service.domain.definition.pinned import (
    NOTHING_PINNED,
    CatalogFunction,
    Pinned,
    Wanted,
)
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.processes import ProcessKind
from workflow_service.domain.definition.served import Served
from workflow_service.domain.definition.structure import Structure
from workflow_service.domain.definition.vocabulary import known_are
from workflow_service.domain.events import ConsumptionStrategy
from workflow_service.domain.expressions import (
    Expression,
    ExpressionFailed,
    Expressions,
    JsonValue,
    Lending,
    Template,
    expression_source,
    is_expression,
)

ARGUMENTS: Final = frozenset(
    {"context", "input", "output", "secrets", "task", "workflow", "runtime", "authorization"}
)
"""The variables that the standard gives every expression."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known at a place of the document."""

    variables: frozenset[str] = ARGUMENTS
    siblings: frozenset[str] | None = None
    """Names that ``then`` may go to; None where it may name no task."""

    def knowing(self, *names: str) -> Scope:
        """Return a scope with more variables."""
        return replace(self, variables=self.variables.union(names))


ROOT_SCOPE: Final = Scope()


@dataclass(slots=True)
class Builder:
    """One reading of one document."""

    expressions: Expressions
    structure: Structure
    limits: DefinitionLimits
    use: Mapping[str, Mapping[str, JsonValue]]
    loose: bool
    secrets: tuple[str, ...]
    """Names of ``use.secrets``."""
    task_list: Callable[[Builder, JsonValue, str, Scope], TaskList]
    function: Callable[[Builder, str, str], Task | None]
    catalog_function: Callable[[Builder, CatalogFunction, str, str], Task | None]
    served: Served | None = None
    """Functions that are served outside of the document; None when it need not be checked."""
    processes: frozenset[ProcessKind] | None = None
    """Kinds of process that the operator lets workflows run; None when it need not be checked."""
    pinned: Pinned = field(default_factory=lambda: NOTHING_PINNED)
    """Documents that were fetched for this one."""
    default_catalog: bool = False
    """Whether the operator has a catalog that documents need not name."""
    wanted: dict[str, Wanted] = field(default_factory=dict)
    """Documents that are lacking, by the pointer under which they are to be pinned."""
    tasks: dict[Reference, Task] = field(default_factory=dict)
    lists: dict[Reference, TaskList] = field(default_factory=dict)
    functions: dict[str, Task | None] = field(default_factory=dict)
    """Those of ``use.functions`` that have been read."""
    calling: list[str] = field(default_factory=list)
    """Those that are being read, each called by the one before."""
    used: set[tuple[str, str]] = field(default_factory=set)
    on: ConsumptionStrategy | None = None
    """The events that start the workflow, if any do."""
    cheap: bool = True
    compiled: int = 0

    def problem(self, pointer: str, message: str) -> None:
        """Note that *message* is wrong at *pointer*."""
        self.structure.problems.add(pointer, message)

    def refused(self, feature: str, pointer: str) -> bool:
        """Whether *feature* (a key of NOT_YET) is not supported; notes that, if so."""
        message = not_yet(feature)
        if message is not None:
            self.problem(pointer, message)
        return message is not None

    def want(self, wanted: Wanted) -> None:
        """Note that a document is lacking."""
        if len(self.wanted) == self.limits.resources:
            told = f"a definition may refer to at most {self.limits.resources} documents elsewhere"
            self.problem(wanted.place, beyond(told, "definition_resources"))
        self.wanted.setdefault(wanted.pointer, wanted)

    def may_enter(self, function: str, pointer: str) -> bool:
        """Whether *function* is not being read already, and not too many are; notes that, if so."""
        if function in self.calling:
            chain = [*self.calling[self.calling.index(function) :], function]
            self.problem(pointer, f"the function calls itself: {' → '.join(chain[:12])}")
            return False
        if len(self.calling) >= self.limits.nesting:
            told = f"functions call each other more than {self.limits.nesting} deep"
            self.problem(pointer, told)
            return False
        return True

    def sound(self, pointer: str) -> bool:
        """Whether nothing is known to be wrong at *pointer* or below it."""
        return not self.structure.problems.any_within(pointer)

    def reusable(self, section: str, name: str, pointer: str) -> tuple[JsonValue, str] | None:
        """Return what ``use`` has under *section* and *name*, with its pointer; None when it is missing or malformed."""
        known = self.use.get(section, {})
        if name not in known:
            self.problem(
                pointer, f"{name[:80]!r} is not in use.{section}: {known_are(name, tuple(known))}"
            )
            return None
        self.used.add((section, name))
        place = child("/use", section, name)
        return (known[name], place) if self.sound(place) else None

    def expression(self, text: str, pointer: str, scope: Scope) -> Expression:
        """Compile an expression, with or without its ``${ }``."""
        if self._may_compile(pointer):
            try:
                compiled = self.expressions.compile(expression_source(text), scope.variables)
            except ExpressionFailed as exc:
                self.problem(pointer, _complaint(exc))
            else:
                self.cheap = self.cheap and compiled.cheap
                self._check_lending(compiled.lending, pointer)
                return compiled
        return self.expressions.compile(".", ())

    def template(self, value: JsonValue, pointer: str, scope: Scope) -> Template:
        """Compile a value in which expressions stand in ``${ }`` (in loose mode: anywhere)."""
        mode: Literal["loose", "strict"] = "loose" if self.loose else "strict"
        if self._are_sound(value, pointer, scope):
            try:
                template = self.expressions.template(value, scope.variables, mode=mode)
            except ExpressionFailed as exc:
                self.problem(pointer, _complaint(exc))
            else:
                self.cheap = self.cheap and template.cheap
                return template
        return self.expressions.template(None, ())

    def transformation(self, value: JsonValue, pointer: str, scope: Scope) -> Template:
        """Compile an ``input.from`` and its like: a string is an expression, also without ``${ }``."""
        if isinstance(value, str) and not is_expression(value):
            # The line break ends a comment that the expression may end with.
            return self.template(f"${{ {value}\n}}", pointer, scope)
        return self.template(value, pointer, scope)

    def duration(self, value: JsonValue, pointer: str, scope: Scope) -> Duration:
        """Read a duration."""
        if isinstance(value, str) and is_expression(value):
            return self.template(value, pointer, scope)
        try:
            return FixedDuration(duration_seconds(value))
        except ValueError as exc:
            self.problem(pointer, str(exc))
            return FixedDuration(0.0)

    def variable(self, name: JsonValue, pointer: str, default: str) -> str:
        """Read the name of a variable that the document introduces."""
        if not isinstance(name, str):
            return default
        if _VARIABLE.fullmatch(name) is None or name == "ENV" or name.startswith("__"):
            hint = ": write it without the $" if name.startswith("$") else ""
            self.problem(pointer, f"{name[:80]!r} cannot be the name of a variable{hint}")
            return default
        if name in ARGUMENTS:
            self.problem(
                pointer, f"${name} is an argument of every expression: choose another name"
            )
            return default
        return name

    def _are_sound(self, value: JsonValue, pointer: str, scope: Scope) -> bool:
        """Compile each string in *value* by itself, so that a problem gets its own pointer."""
        sound = True
        for text, place in _strings(value, pointer):
            if ("${" in text or self.loose) and self._may_compile(place):
                try:
                    lending = self.expressions.template(text, scope.variables).lending
                    self._check_lending(lending, place)
                except ExpressionFailed as exc:
                    self.problem(place, _complaint(exc))
                    sound = False
        return sound and self.compiled <= self.limits.expressions

    def _check_lending(self, lending: Lending | None, pointer: str) -> None:
        """Refuse what computes with a secret: it would compute with what stands for it."""
        if lending is not None and lending.computed_by is not None:
            self.problem(
                pointer,
                f"{lending.computed_by!r} would not get the value of a secret: it can only be passed on or joined "
                "into a text; for credentials use 'authentication'",
            )

    def _may_compile(self, pointer: str) -> bool:
        """Count one more expression; compiling is what makes a document dear."""
        self.compiled += 1
        if self.compiled == self.limits.expressions + 1:
            limit = self.limits.expressions
            told = f"a definition may have at most {limit} expressions"
            self.problem(pointer, beyond(told, "definition_expressions"))
        return self.compiled <= self.limits.expressions


def _strings(value: JsonValue, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield value, pointer
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _strings(member, child(pointer, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, child(pointer, index))


def _complaint(exc: ExpressionFailed) -> str:
    return f"the expression does not compile: {exc.message}"
