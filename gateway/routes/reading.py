"""What a request says: its target, its token, the kind of its body, and the body itself."""

from aiohttp import hdrs, web

from chassis.errors import PayloadTooLarge, UnsupportedMediaType
from gateway.routes.problems import RequestRefused
from gateway.routes.route import Body, Incoming


def target(http: web.BaseRequest) -> str:
    """The request target; the absolute form of our own address counts as its path."""
    given = http.raw_path
    own = f"http://{http.headers.get(hdrs.HOST, '')}/"
    if not given.startswith("/") and given.lower().startswith(own.lower()):
        return given[len(own) - 1 :]
    return given


def shown(given: str) -> str:
    """A request target as it may stand in logs and errors: without its query, in ASCII."""
    return given.partition("?")[0][:512].encode("ascii", "replace").decode()


def bearer(request: Incoming) -> str | None:
    """The access token of the request; None when there is nothing that could be one."""
    header = request.headers.get(hdrs.AUTHORIZATION)
    if header is None:
        return None
    scheme, blank, token = header.partition(" ")
    return token if scheme.lower() == "bearer" and blank and token else None


def media_type(request: Incoming, wanted: Body) -> str:
    """The media type of the body, which must be one that is *wanted*.

    Raises:
        UnsupportedMediaType: it is another, is compressed, or is not UTF-8.
    """
    header = request.headers.get(hdrs.CONTENT_TYPE, "")
    media_type, _, parameters = header.partition(";")
    media_type = media_type.strip().lower()
    coding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedMediaType("Compressed bodies are not read here")
    if media_type not in wanted.media_types and ("*/*" not in wanted.media_types or not media_type):
        accepted = ", ".join(wanted.media_types)
        raise UnsupportedMediaType(f"The body must be one of {accepted}")
    charset = parameters.strip().lower().replace('"', "").partition("charset=")[2]
    if charset and charset.partition(";")[0].strip() not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMediaType("Only UTF-8 is read here")
    return media_type


async def whole_body(http: web.BaseRequest, limit: int) -> bytes:
    """The body, at most *limit* bytes of it.

    Raises:
        PayloadTooLarge: there is more.
        RequestRefused: its framing is broken.
        RequestTooSlow: it did not come in time.
    """
    chunks, size = list[bytes](), 0
    try:
        async for chunk in http.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise PayloadTooLarge(f"The body may have at most {limit} bytes")
    except web.RequestPayloadError:
        raise RequestRefused("The body is not framed as its headers say") from None
    # Who waited for the end does not learn from it that something was wrong with that.
    if isinstance(refused := http.content.exception(), RequestRefused):
        raise refused
    return b"".join(chunks)
