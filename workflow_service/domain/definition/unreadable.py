"""Why a document could not be read.

DocumentUnreadable(Malformed)        it is not well-formed JSON or YAML
DocumentTooLarge(PayloadTooLarge)    it has too many bytes or values
"""

from chassis.errors import FieldProblem, Malformed, PayloadTooLarge


class DocumentUnreadable(Malformed):
    """A document is not well-formed.

    Attributes:
        line, column: where, counted from 1; None when that is not known.
    """

    def __init__(
        self,
        reason: str,
        *,
        line: int | None = None,
        column: int | None = None,
        pointer: str = "",
    ) -> None:
        place = "" if line is None else f" (line {line}, column {column})"
        message = f"{reason}{place}"
        super().__init__(
            f"the document cannot be read: {message}", details=(FieldProblem(pointer, message),)
        )
        self.line = line
        self.column = column


class DocumentTooLarge(PayloadTooLarge):
    """A document has more bytes or values than a definition may have."""
