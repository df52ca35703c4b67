"""What the standard knows and this runtime does not do yet.

A document that uses any of it is refused when it is published, never run as if it were not there. Whoever builds a
feature deletes its row and gives the parser the code that reads it.
"""

from collections.abc import Mapping
from typing import Final

NOT_YET: Final[Mapping[str, str]] = {
    # root members
    # the rest
    "evaluate.language": "an expression language other than jq",
    "schema.format": "a schema format other than JSON Schema ('json')",
}


def not_yet(feature: str) -> str | None:
    """Return the message that refuses *feature*, a key of NOT_YET; None when it is supported."""
    words = NOT_YET.get(feature)
    return None if words is None else f"{words} is not supported yet"
