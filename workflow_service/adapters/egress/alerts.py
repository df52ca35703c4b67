"""What a TLS alert of the other side says about our certificate (RFC 8446, 6.2)."""

import ssl
from typing import Final

_ABOUT_US: Final = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "DECRYPT_ERROR")


def blames_certificate(error: BaseException) -> bool:
    """Whether the other side ended the connection because of who we are, as far as *error* tells."""
    seen: BaseException | None = error
    while seen is not None:
        # An SSLError that the ssl module did not make itself has no reason.
        reason = getattr(seen, "reason", None) if isinstance(seen, ssl.SSLError) else None
        if isinstance(reason, str) and "ALERT" in reason:
            return any(word in reason for word in _ABOUT_US)
        seen = seen.__cause__ or seen.__context__
    return False
