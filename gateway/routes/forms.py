"""Forms: bodies in application/x-www-form-urlencoded."""

from typing import Final
from urllib.parse import parse_qsl

from chassis.errors import Malformed
from gateway.routes.route import Incoming

FORM: Final = "application/x-www-form-urlencoded"
MAX_FIELDS: Final = 64


def form_fields(request: Incoming) -> tuple[tuple[str, str], ...]:
    """The fields of the body, in order, empty ones included.

    Raises:
        Malformed: it is no form.
    """
    return _decoded(request.body.decode("ascii", "replace"))


def query_fields(request: Incoming) -> tuple[tuple[str, str], ...]:
    """The parameters behind the question mark, in order, empty ones included.

    Raises:
        Malformed: they cannot be decoded.
    """
    return _decoded(request.query_text)


def _decoded(text: str) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    try:
        return tuple(
            parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        )
    except ValueError:
        raise Malformed("The form cannot be decoded") from None
