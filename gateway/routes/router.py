"""From a raw request target to a route: refused, or matched, never made to fit.

What a rule is checked on and what is routed must be the same text. So a target that another server
might normalise (encoded slashes, dot segments, doubled slashes) is refused rather than cleaned.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from chassis.errors import FieldProblem, Malformed, NotFound
from gateway.routes.problems import RequestRefused, WrongMethod
from gateway.routes.route import Route

VERSION_HEADER: Final = "API-Version"
_VERSIONED: Final = re.compile(r"/v([0-9]{1,4})(?=/|$)")
_HEADER: Final = re.compile(r"[vV]?([0-9]{1,4})")
# What RFC 3986 allows in a path, without the sub-delimiter ";", which some servers cut off.
_PATH: Final = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,=:@/%]*")
_QUERY: Final = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?%\[\]|{}\"<>^`\\]*")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%2[fF]|%5[cC]|%00|%2[eE]")
_DOTS: Final = re.compile(r"/\.{1,2}(?:/|$)")


class RouteIncomplete(Exception):
    """A route was declared without saying who may use it, or twice."""


class UnknownVersion(Malformed):
    """A version of the contract that there is not (yet)."""

    def __init__(self, version: str) -> None:
        super().__init__(
            "Unknown API version; this gateway speaks v1",
            details=[FieldProblem(VERSION_HEADER, f"{version[:16]!r} is not a known version")],
        )


def split_target(target: str) -> tuple[str, str]:
    """Path and query of an origin-form request target.

    Raises:
        RequestRefused: it is in another form, or something that servers understand differently.
    """
    path, _, query = target.partition("?")
    if not _PATH.fullmatch(path) or "//" in path:
        raise RequestRefused("The request target is not a plain path")
    if "%" in path and _BAD_ESCAPE.search(path):
        raise RequestRefused("The path has an escape that is not allowed")
    if "/." in path and _DOTS.search(path):
        raise RequestRefused("The path has a dot segment")
    if not _QUERY.fullmatch(query):
        raise RequestRefused("The query string has characters that must be escaped")
    return path, query


@dataclass(slots=True)
class _Node:
    children: "dict[str, _Node]" = field(default_factory=dict)
    any: "_Node | None" = None
    methods: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


class Router:
    """Finds the route of a path, over a tree of its segments.

    Raises:
        RouteIncomplete: a route without a declared permission, or declared twice.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self.routes: Sequence[Route] = tuple(routes)
        for route in self.routes:
            if route.permission is None:
                raise RouteIncomplete(f"{route.method} {route.path} declares no permission")
            self._add(route)

    def find(self, method: str, path: str, version: str | None) -> tuple[Route, dict[str, str]]:
        """The route for *method* on *path*, and the arguments in the path.

        *version* is the ``API-Version`` header; it goes before the path's version, and without
        either it is v1.

        Raises:
            UnknownVersion: neither header nor path name version 1.
            NotFound: nothing is there.
            WrongMethod: something is there, but not for this method.
            Malformed: an argument is not UTF-8.
        """
        node, values = self._walk(_with_version(path, version)) or self._walk(path) or (None, [])
        if node is None or not node.methods:
            raise NotFound("There is nothing at this address")
        found = node.methods.get("GET" if method == "HEAD" else method)
        if found is None:
            raise WrongMethod(_allowed(node.methods))
        route, names = found
        return route, dict(zip(names, map(_decoded, values), strict=True))

    def _add(self, route: Route) -> None:
        node, names = self._root, list[str]()
        for segment in _segments(route.path):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.children.setdefault(segment, _Node())
        if route.method in node.methods:
            raise RouteIncomplete(f"{route.method} {route.path} is declared twice")
        node.methods[route.method] = (route, tuple(names))

    def _walk(self, path: str) -> tuple[_Node, list[str]] | None:
        node, values = self._root, list[str]()
        for segment in _segments(path):
            child = node.children.get(segment)
            if child is None:
                if node.any is None or not segment:
                    return None
                child = node.any
                values.append(segment)
            node = child
        return node, values


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _with_version(path: str, header: str | None) -> str:
    """The path under version 1, wherever the version was given."""
    match = _VERSIONED.match(path)
    if header is not None:
        named = _HEADER.fullmatch(header.strip())
        if named is None or int(named[1]) != 1:
            raise UnknownVersion(header)
    elif match is not None and match[1] != "1":
        raise UnknownVersion(f"v{match[1]}")
    if match is None:
        return f"/v1{path}"
    return f"/v1{path[match.end() :]}"


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise Malformed("The path is not valid UTF-8") from None


def _allowed(methods: Iterable[str]) -> tuple[str, ...]:
    names = set(methods)
    return tuple(sorted(names | {"HEAD"} if "GET" in names else names))
