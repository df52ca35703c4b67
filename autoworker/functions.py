"""Functions of one's own: what `call: resize` in a workflow reaches.

@function("resize", version="1.0.0", input={"type": "object", "required": ["width"]})
async def resize(arguments: Any, context: Context) -> Any:
    ...

The same function can be served by the workflow service itself (AUTOWORKER_FUNCTIONS, or an entry
point of the group `autoworker.functions`) or by a worker (`autoworker.worker`). Nothing of the
services is imported here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from autoworker.model import JsonValue

F = TypeVar("F", bound=Callable[..., Any])
MARK: Final = "__autoworker_function__"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a function says about itself; without a schema, anything goes."""

    name: str
    version: str
    input: JsonValue = None
    output: JsonValue = None


class Context(Protocol):
    """What a function is told about its call."""

    @property
    def execution(self) -> str:
        """The execution that calls."""
        ...

    @property
    def task(self) -> str:
        """The reference of its task: `/do/0/resize`."""
        ...

    @property
    def idempotency_key(self) -> str:
        """The same for every repetition of this call: hand it on to whatever must happen once."""
        ...

    @property
    def attempt(self) -> int:
        """1, and one more for each worker that was lost with this call."""
        ...

    @property
    def deadline(self) -> datetime | None:
        """When nobody waits for the answer any longer; None: never."""
        ...

    @property
    def tenant(self) -> str:
        """Whose execution it is."""
        ...

    @property
    def logger(self) -> Any:
        """Logs with the names of execution and task."""
        ...


class FunctionFailed(Exception):
    """The call fails with an error that its workflow can catch.

    Args:
        title: what went wrong, in a few words.
        detail: what exactly.
        status: as in HTTP; 503 when *retryable*, else 422, unless given.
        type: a URI; by default the DSL's runtime error.
        retryable: whether trying again may help. A workflow's `catch` tells by the status.
    """

    def __init__(
        self,
        title: str,
        detail: str = "",
        *,
        status: int | None = None,
        type: str = "runtime",
        retryable: bool = False,
    ) -> None:
        super().__init__(title if not detail else f"{title}: {detail}")
        self.title = title
        self.detail = detail
        self.status = status if status is not None else (503 if retryable else 422)
        self.type = type
        self.retryable = retryable

    def as_problem(self) -> Mapping[str, JsonValue]:
        """The members of the DSL's error."""
        return {
            "type": self.type,
            "status": self.status,
            "title": self.title,
            "detail": self.detail,
        }


def function(
    name: str, *, version: str = "1.0.0", input: JsonValue = None, output: JsonValue = None
) -> Callable[[F], F]:
    """Declare a function, async or not, that takes (arguments, context).

    Args:
        name: what `call` names.
        version: semantic; `call: name:1.0.0` asks for it.
        input: JSON Schema of the arguments; what breaks it never reaches the function.
        output: JSON Schema of what it returns.
    """

    def declare(implementation: F) -> F:
        setattr(implementation, MARK, Declaration(name, version, input, output))
        return implementation

    return declare


def declaration_of(implementation: object) -> Declaration:
    """What *implementation* says about itself.

    Raises:
        TypeError: it is not declared with `function`.
    """
    found = getattr(implementation, MARK, None)
    if not isinstance(found, Declaration):
        raise TypeError(f"{implementation!r} is not declared with @function")
    return found
