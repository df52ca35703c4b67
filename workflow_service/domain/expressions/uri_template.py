"""URI templates: the simple string expansion of RFC 6570 (§3.2.2), as far as the DSL has it."""

import re
from urllib.parse import quote

import msgspec

from workflow_service.domain.expressions.values import ExpressionFailed, JsonValue

_VARIABLE = re.compile(r"\{([^{}]*)\}")


def expand_uri(template: str, data: JsonValue) -> str:
    """Replace each `{name}` in *template* by the property `name` of *data*.

    Names are verbatim (`{pet.id}` is the property "pet.id"); everything but unreserved characters
    is percent-encoded, so a value cannot add a path segment, a query or a host; a missing
    property and null give nothing.

    Raises:
        ExpressionFailed: the property is an array or an object.
    """
    properties = data if isinstance(data, dict) else {}
    return _VARIABLE.sub(lambda found: _expanded(found[1], properties.get(found[1])), template)


def _expanded(name: str, value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case str():
            text = value
        case bool() | int() | float():
            text = msgspec.json.encode(value).decode()
        case _:
            raise ExpressionFailed(
                f"'{{{name}}}' in a URI must be a string, a number, a boolean or null"
            )
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as exc:
        raise ExpressionFailed(f"'{{{name}}}' in a URI is not valid Unicode") from exc
