"""What every use case is: something that takes one request and gives one answer."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

_Request = TypeVar("_Request", contravariant=True)
_Answer = TypeVar("_Answer", covariant=True)

UseCase = Callable[[_Request], Awaitable[_Answer]]
