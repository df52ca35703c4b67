"""What is looked at before a request is believed to be one: smuggling and spoofing end here."""

from typing import Final

from aiohttp import HttpVersion, HttpVersion10, HttpVersion11, hdrs, web
from multidict import CIMultiDictProxy

from gateway.routes.problems import ExpectationFailed, HeadersTooLarge, RequestRefused

MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 32 * 1024
# Two of these are read differently by different servers: RFC 9110 §5.3 allows only one.
_SINGLE: Final = (
    "Host", "Content-Length", "Content-Type", "Authorization", "Transfer-Encoding", "X-API-Key",
    "API-Version", "Expect",
)  # fmt: skip
_VERSIONS: Final[frozenset[HttpVersion]] = frozenset({HttpVersion10, HttpVersion11})
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class StrictRequest(web.BaseRequest):
    """A request whose answer is in HTTP/1.1, also when it came in a version that is not spoken."""

    @property
    def spoken(self) -> bool:
        """Whether its version of HTTP is spoken here."""
        return self._version in _VERSIONS

    @property
    def version(self) -> HttpVersion:
        """The version that is answered in: its own, if that is spoken."""
        return self._version if self.spoken else HttpVersion11


def screen(http: web.BaseRequest) -> None:
    """Refuse what no honest client sends.

    Raises:
        RequestRefused: the connection must not be used any more.
        HeadersTooLarge: too many header fields, or too large ones.
        ExpectationFailed: it wants something that there is not.
    """
    headers = http.headers
    if isinstance(http, StrictRequest) and not http.spoken:
        raise RequestRefused("Only HTTP/1.0 and HTTP/1.1 are spoken here")
    _check_size(http)
    for name in _SINGLE:
        if name in headers and len(headers.getall(name)) > 1:
            raise RequestRefused(f"The header {name} may be given only once")
    _check_framing(http, headers)
    _check_host(headers)
    if http.method not in _METHODS:
        raise RequestRefused("This method is not spoken here")
    expectation = headers.get(hdrs.EXPECT)
    if expectation is not None and expectation.lower() != "100-continue":
        raise ExpectationFailed("Only 100-continue may be expected")


def _check_size(http: web.BaseRequest) -> None:
    fields = http.raw_headers
    if len(fields) > MAX_HEADERS:
        raise HeadersTooLarge(f"At most {MAX_HEADERS} header fields are read")
    if sum(len(name) + len(value) + 4 for name, value in fields) > MAX_HEADER_BYTES:
        raise HeadersTooLarge(f"At most {MAX_HEADER_BYTES} bytes of header fields are read")


def _check_framing(http: web.BaseRequest, headers: CIMultiDictProxy[str]) -> None:
    if hdrs.TRANSFER_ENCODING in headers:
        if http.version == HttpVersion10:
            raise RequestRefused("HTTP/1.0 has no Transfer-Encoding")
        if hdrs.CONTENT_LENGTH in headers:
            raise RequestRefused("Content-Length and Transfer-Encoding contradict each other")
        if headers[hdrs.TRANSFER_ENCODING].strip().lower() != "chunked":
            raise RequestRefused("The only transfer coding spoken here is chunked")
    if hdrs.TRAILER in headers:
        raise RequestRefused("Trailers are not read here")
    length = headers.get(hdrs.CONTENT_LENGTH)
    if length is not None and not (length.isascii() and length.isdigit()):
        raise RequestRefused("The Content-Length is not a number")


def _check_host(headers: CIMultiDictProxy[str]) -> None:
    host = headers.get(hdrs.HOST)
    if host is not None and any(char in host for char in "/\\@?# \t,"):
        raise RequestRefused("The Host is not a host")
