"""Compiled expressions.

Three ways of evaluating, from cheap to safe: direct.py for what it understands; libjq in this
process for what is provably cheap on a small input (cost.py); everything else goes to the
`CostlyEvaluator`, which can be stopped.

Decisions where jq leaves a choice: the first output is the result; no output at all is null.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from workflow_service.domain.bounds import beyond
from workflow_service.domain.expressions.cost import LEAST_SIZE, Cost
from workflow_service.domain.expressions.direct import Direct
from workflow_service.domain.expressions.measuring import size_of
from workflow_service.domain.expressions.order import Undecided
from workflow_service.domain.expressions.program import (
    Program,
    compile_program,
    encode_input,
    run_program,
)
from workflow_service.domain.expressions.secrecy import Lending
from workflow_service.domain.expressions.values import (
    ExpressionFailed,
    JsonValue,
    NeedsWorker,
)

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")

_decode: Callable[[bytes], JsonValue] = msgspec.json.Decoder().decode

_DIRECT_WORK = 2 * 1024 * 1024
"""Bytes a direct evaluation may touch: a few milliseconds."""
_DIRECT_FACTOR = 1
"""Up to this factor a result is part of the input, whose size is bounded elsewhere."""


class CostlyEvaluator(Protocol):
    """Evaluates what may take long or much, within limits, where it can be stopped."""

    def evaluate(
        self, source: str, variables: Sequence[str], document_json: bytes, deadline_s: float
    ) -> bytes:
        """The JSON text of the first output of *source*, `null` when there is none.

        *source* and *variables* are for `program_text`, *document_json* is from `encode_input`.
        Blocks for at most *deadline_s* seconds plus a bounded wait for a free place; call it
        from a worker thread, never from the event loop.

        Raises:
            ExpressionFailed: the expression failed, took too long, or needed too much.
            ExpressionsUnavailable: no place became free; nothing is wrong with the expression.
        """


@dataclass(frozen=True, slots=True)
class ExpressionLimits:
    """Bounds of one evaluation. Sizes are bytes of JSON text, times are seconds."""

    cheap_input: int = 64 * 1024
    cheap_work: int = 1024 * 1024
    cheap_output: int = 256 * 1024
    max_input: int = 8 * 1024 * 1024
    max_output: int = 1024 * 1024
    deadline: float = 1.0
    kept_expressions: int = 4_096
    kept_programs: int = 512


class Shelf(Generic[Key, Kept]):
    """The most recently used things; thread-safe. Two threads may make the same thing at once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Kept]) -> Kept:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return made


class Expression:
    """One compiled expression; immutable and safe to share between threads."""

    def __init__(
        self,
        source: str,
        text: str,
        variables: frozenset[str],
        cost: Cost | None,
        directly: Direct | None,
        workshop: "Workshop",
        lending: Lending | None = None,
    ) -> None:
        self.source = source
        """The jq text as written, without `${ }`."""
        self.variables = variables
        """The arguments that the expression reads; no others need to be given."""
        self.cheap = cost is not None and not cost.direct_only
        """On a small input it never needs the costly evaluator (see `evaluate_here`)."""
        self.lending = lending
        """What it does with secrets; None: nothing."""
        self._text = text
        self._cost = cost
        self._direct = directly
        self._workshop = workshop

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def evaluate(self, document: JsonValue, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """The result on *document*. May block on the costly evaluator.

        Raises:
            ExpressionFailed: as the class says.
            ExpressionsUnavailable: the costly evaluator has no capacity now.
        """
        done, value, encoded = self._attempt(document, arguments)
        if done:
            return value
        return self._workshop.evaluate_costly(self._text, sorted(self.variables), encoded)

    def evaluate_here(self, document: JsonValue, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """As `evaluate`, but quick for sure: fit for the event loop.

        Raises:
            ExpressionFailed: as the class says.
            NeedsWorker: it is not provably cheap on this input; call `evaluate` from a thread.
        """
        done, value, _ = self._attempt(document, arguments)
        if not done:
            raise NeedsWorker
        return value

    def _attempt(
        self, document: JsonValue, arguments: Mapping[str, JsonValue]
    ) -> tuple[bool, JsonValue, bytes]:
        """Whether it was quick, then the result; otherwise the encoded input."""
        if self._direct is not None and self._affordable(document, arguments):
            try:
                return True, self._bounded(self._direct(document, arguments)), b""
            except (Undecided, RecursionError):
                pass
        encoded = encode_input(document, arguments, self.variables)
        limits, cost = self._workshop.limits, self._cost
        if len(encoded) > limits.max_input:
            told = f"the input is larger than {limits.max_input} bytes"
            raise ExpressionFailed(beyond(told, "expression_input_bytes"))
        size = LEAST_SIZE + len(encoded) + 8 * len(self._text)
        if (
            cost is None
            or cost.direct_only
            or len(encoded) > limits.cheap_input
            or cost.work * size > limits.cheap_work
            or cost.factor * size + cost.constant > limits.cheap_output
        ):
            return False, None, encoded
        program = self._workshop.program(self._text, self.variables)
        return True, run_program(program, encoded), b""

    def _affordable(self, document: JsonValue, arguments: Mapping[str, JsonValue]) -> bool:
        cost = self._cost
        if cost is None:
            return False
        if cost.light:
            return True
        allowed = _DIRECT_WORK // (cost.work + cost.factor)
        values: list[JsonValue] = [document, *(arguments.get(name) for name in self.variables)]
        return size_of(values, allowed) <= allowed

    def _bounded(self, value: JsonValue) -> JsonValue:
        cost = self._cost
        if cost is not None and cost.light and cost.factor <= _DIRECT_FACTOR:
            return value
        allowed = self._workshop.limits.max_output
        if size_of(value, allowed) > allowed:
            raise _too_large(allowed)
        return value


def _too_large(limit: int) -> ExpressionFailed:
    return ExpressionFailed(
        beyond(f"the result is larger than {limit} bytes", "expression_output_bytes")
    )


class Workshop:
    """What expressions share: limits, compiled programs, the costly evaluator."""

    def __init__(self, evaluator: CostlyEvaluator | None, limits: ExpressionLimits) -> None:
        self.limits = limits
        self._evaluator = evaluator
        self._programs: Shelf[tuple[str, frozenset[str]], Program] = Shelf(limits.kept_programs)

    def program(self, text: str, variables: frozenset[str]) -> Program:
        return self._programs.get((text, variables), lambda: compile_program(text, variables))

    def evaluate_costly(self, text: str, variables: Sequence[str], encoded: bytes) -> JsonValue:
        if self._evaluator is None:
            value = run_program(self.program(text, frozenset(variables)), encoded)
            if size_of(value, self.limits.max_output) > self.limits.max_output:
                raise _too_large(self.limits.max_output)
            return value
        answer = self._evaluator.evaluate(text, variables, encoded, self.limits.deadline)
        return _decode(answer)
