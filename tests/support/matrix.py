"""The routes of the gateway as rows of a matrix, taken from its own description of them."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from tests.e2e.attacks.raw import Raw

NOBODYS = "01a1fdb5-c362-7000-bffd-000000000000"
VERBS = ("get", "put", "patch", "post", "delete")
_NEEDS = re.compile(r"Needs the permission `([a-z-]+:[a-z-]+)`(?:, or `([a-z-]+:[a-z-]+)`)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One route; *permission* is "" when it is public."""

    method: str
    path: str
    permission: str
    media_type: str
    example: bytes | None
    """A body that its description gives as an example."""
    or_permission: str = ""
    """Another permission that will do as well."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def has_object(self) -> bool:
        """Whether it is about one thing of many."""
        return "{" in self.path

    def at(self, values: Mapping[str, str]) -> str:
        """Its path for one thing; what is not named is nobody's."""
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], NOBODYS), self.path)


async def rows(http: aiohttp.ClientSession) -> list[Row]:
    """Every route there is, what takes things away last."""
    async with http.get("/openapi.json") as answer:
        paths = msgspec.json.decode(await answer.read())["paths"]
    found = [
        _row(verb.upper(), path, operations[verb])
        for path, operations in paths.items()
        for verb in VERBS
        if verb in operations
    ]
    return sorted(found, key=lambda row: (VERBS.index(row.method.lower()), -len(row.path)))


def _row(method: str, path: str, operation: Any) -> Row:
    needs = _NEEDS.search(operation.get("description", ""))
    public = operation.get("security") == []
    assert public is not bool(needs), f"{method} {path} says nothing of who may use it"
    content = operation.get("requestBody", {}).get("content", {})
    media_type = "application/json" if "application/json" in content else next(iter(content), "")
    examples = list(content.get(media_type, {}).get("examples", {}).values())
    body = msgspec.json.encode(examples[0]["value"]) if examples else None
    permission, another = (needs[1], needs[2] or "") if needs else ("", "")
    return Row(method, path, permission, media_type, body, another)


async def status(api: aiohttp.ClientSession, row: Row, path: str, body: bytes | None = None) -> int:
    """The status of the answer; what comes as a stream is not read."""
    sent = body if row.media_type else None
    headers = {"Content-Type": row.media_type} if sent is not None else {}
    async with api.request(row.method, path, data=sent, headers=headers) as answer:
        if answer.content_type != "text/event-stream":
            await answer.read()
        return answer.status


Made = Mapping[str, str]
"""What stands in the places of a path for something that is there."""
Maker = Callable[[Raw], Awaitable[Made]]
