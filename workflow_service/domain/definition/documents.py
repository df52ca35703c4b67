"""From the bytes that an author sends to a JSON value, and from that to its canonical form and digest.

Both languages are read strictly, so that the same document can never mean two things: UTF-8 only, no duplicate
members, nothing that JSON cannot say.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from chassis.errors import UnsupportedMediaType
from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.json_documents import read_json
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.unreadable import DocumentTooLarge, DocumentUnreadable
from workflow_service.domain.definition.yaml_documents import read_yaml
from workflow_service.domain.expressions import JsonValue

__all__ = [
    "DocumentTooLarge",
    "DocumentUnreadable",
    "MediaTypeUnknown",
    "canonical",
    "digest_of",
    "parse_document",
]

_READERS = {"json": read_json, "yaml": read_yaml}
_LANGUAGES: Mapping[str, str] = {
    "application/json": "json",
    "text/json": "json",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "text/x-yaml": "yaml",
}
_ENCODER = msgspec.json.Encoder(order="sorted")


class MediaTypeUnknown(UnsupportedMediaType):
    """A definition is written neither in JSON nor in YAML."""


def parse_document(
    content: bytes, media_type: str, limits: DefinitionLimits = DEFAULT_LIMITS
) -> JsonValue:
    """Read *content* as the language that *media_type* (RFC 9110, parameters allowed) names.

    Raises:
        MediaTypeUnknown: it is neither JSON nor YAML, or not in UTF-8.
        DocumentTooLarge: it is above the limits of bytes or values.
        DocumentUnreadable: it is not a well-formed document; the message tells line and column.
    """
    reader = _READERS[_language(media_type)]
    if len(content) > limits.bytes:
        told = f"a definition may have at most {limits.bytes} bytes"
        raise DocumentTooLarge(beyond(told, "definition_bytes"))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise DocumentUnreadable(f"it is not UTF-8: byte {exc.start} is wrong") from exc
    return reader(text, limits)


def canonical(document: JsonValue) -> bytes:
    """Return the one JSON text of *document*: members sorted, no white space."""
    return _ENCODER.encode(document)


def digest_of(document: JsonValue) -> str:
    """Return ``sha256:<hex>`` of the canonical form; the order of members makes no difference."""
    return digest_of_bytes(canonical(document))


def digest_of_bytes(content: bytes) -> str:
    """Return ``sha256:<hex>`` of *content*."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _language(media_type: str) -> str:
    essence, _, parameters = media_type.partition(";")
    essence = essence.strip().lower()
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise MediaTypeUnknown("definitions are read in UTF-8 only")
    language = _LANGUAGES.get(essence)
    if language is None and essence.startswith("application/"):
        suffix = essence.rpartition("+")[2]
        language = suffix if "+" in essence and suffix in _READERS else None
    if language is None:
        raise MediaTypeUnknown(
            "a definition is sent as application/json or application/yaml"
            + (f", not as {essence[:80]}" if essence else "")
        )
    return language
