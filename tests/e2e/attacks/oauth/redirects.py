"""Many ways to write down an address that is almost the registered one."""

# ruff: noqa: RUF001 -- letters that look like others are the point

from collections.abc import Iterator
from typing import Final

HOST: Final = "client.example"
PATH: Final = "/callback"
REGISTERED: Final = f"https://{HOST}{PATH}"

_BEFORE: Final = ("x", "x.", "x-", "www.", "evil.example/", "evil.example#", "evil.example?", "evil.example\\",
                  "a@", "a:b@", "evil.example@", "evil.example:443@", "%00", "%20", "%2f", "\\", "@", ":@",
                  "evil.example%2f@", "evil.example%5c@", "\u200b", "\t", "\n")  # fmt: skip
_AFTER_HOST: Final = (".evil.example", ".", "..", ":443", ":444", ":80", ":0", ":", "@evil.example", ":x@evil.example",
                      "%00.evil.example", "%2eevil.example", "%40evil.example", "\\.evil.example", "\\@evil.example",
                      ".evil.example:443", "%0d%0a", "\u3002evil", "\uff0eevil", "%ff", "%23", "%3f", ";evil", "&x",
                      " ", "\t", "-evil.example", "_", "evil")  # fmt: skip
_AFTER: Final = ("x", "/", "//", "/.", "/..", "/../", "/../evil", "/..;/", "/%2e%2e/", "/%2e%2e%2f", "%2f..", "/./",
                 "/x", "?", "?x=1", "?code=stolen", "?redirect_uri=https://evil.example", "&x=1", ";x", ";", "#", "#x",
                 "#@evil.example", "%23", "%3f", "%00", "%0a", "%0d%0aLocation:%20https://evil.example", "%20", " ",
                 "\t", "\n", "\r\n", "\\", "\\..", "%5c", "*", "+", "~", ".html", ".", "..", "\u200b", "%e2%80%8b",
                 "@evil.example", ":443", ",", "'", '"', "<script>", "|", "^", "`", "{}", "[]", "%", "%%",
                 "/%252e%252e/", "?#", "/?", "/#", "%c0%ae")  # fmt: skip
_SCHEMES: Final = ("http", "HTTP", "HTTPS", "Https", "hTTps", "ftp", "file", "javascript", "data", "vbscript", "blob",
                   "ws", "wss", "view-source", "intent", "about", "mailto", "x", "", "gopher", "jar:https", "https+x",
                   " https", "\thttps", "https ", "com.example.app")  # fmt: skip
_HOSTS: Final = ("CLIENT.EXAMPLE", "Client.Example", "client.example.", "clıent.example", "сlient.example",
                 "ⓒlient.example", "client。example", "client．example", "xn--clent-q9a.example", "cl%69ent.example",
                 "client%2eexample", "client.example%00", "client.examplе", "clien\u0442.example", "client.example\u3002",
                 "127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "client.exarnple", "cIient.example",
                 "client-example", "client.example.evil.example", "evil.example", "", "*", "*.example", "client.*",
                 "%63%6c%69%65%6e%74.example", "client.example:8443", "client.example:00443")  # fmt: skip
_PATHS: Final = ("", "/", "/Callback", "/CALLBACK", "/callbacK", "//callback", "/./callback", "/x/../callback", "/callbac",
                 "/allback", "/%63allback", "/callbac%6b", "/callback%2f", "/cal\u200blback", "/callb\u0430ck", "/;/callback",
                 "/callback;jsessionid=1", "\\callback", "/\\callback", "/%2fcallback", "/%2e/callback", "/..%2fcallback",
                 "/callback%20", "/%20callback", "/callback%09", "/evil/callback", "callback", "/*", "/callback*")  # fmt: skip
_WHOLE: Final = ("javascript:alert(1)", "javascript://client.example/callback%0aalert(1)", "JaVaScRiPt:alert(1)",
                 "data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHNjcmlwdD4=", "vbscript:x",
                 "//client.example/callback", "///client.example/callback", "/callback", "callback", "\\\\client.example",
                 "https:client.example/callback", "https:/client.example/callback", "https:///client.example/callback",
                 "https:\\\\client.example\\callback", "https://", "https://?", "https://#", "urn:x", "about:blank",
                 "blob:https://client.example/callback", "null", "undefined", "0", "none", " ", "\x00",
                 "https://client.example/callback https://evil.example/", "https://evil.example/?https://client.example/callback",
                 "https://evil.example/#https://client.example/callback", "https://evil.example\\client.example/callback",
                 "https://client.example/callback\x00", "\x00https://client.example/callback", "view-source:https://client.example/callback",
                 "intent://client.example/callback#Intent;scheme=https;end", "com.example.app:/callback",
                 "https://client.example/callback,https://evil.example/")  # fmt: skip


def redirects() -> list[str]:
    """Each of them once; none is the registered one."""
    return [uri for uri in dict.fromkeys(_all()) if uri != REGISTERED]


def _all() -> Iterator[str]:
    for text in _BEFORE:
        yield f"https://{text}{HOST}{PATH}"
    for text in _AFTER_HOST:
        yield f"https://{HOST}{text}{PATH}"
    for text in _AFTER:
        yield f"{REGISTERED}{text}"
        yield f"https://{HOST}{text}{PATH}"
    for scheme in _SCHEMES:
        yield f"{scheme}://{HOST}{PATH}"
    for host in _HOSTS:
        yield f"https://{host}{PATH}"
    for path in _PATHS:
        yield f"https://{HOST}{path}"
    yield from _WHOLE
