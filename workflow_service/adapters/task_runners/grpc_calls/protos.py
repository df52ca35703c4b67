"""The services that protos describe: fetched with what they import, compiled, and kept by what they say."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from workflow_service.adapters.task_runners.grpc_calls.compiling import Compiler, ProtoInvalid
from workflow_service.application.resource_ports import Resources
from workflow_service.domain.execution.credentials import Resource

_KEPT: Final = 64
"""Compiled protos that are kept."""
_TOKENS: Final = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|\bimport\s+(?:(?:public|weak)\s+)?["']([^"'\n]*)["']"""
    r"""|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
    re.DOTALL,
)
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.proto")
_LONGEST_NAME: Final = 200
_OF_GOOGLE: Final = "google/protobuf/"


@dataclass(frozen=True, slots=True)
class ProtoLimits:
    """What a proto may import."""

    files: int = 50
    bytes: int = 1024 * 1024
    """Of all files together."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled proto."""

    pool: descriptor_pool.DescriptorPool
    services: tuple[str, ...]
    """Full names of the services that the file itself has."""

    def method(self, service: str, method: str) -> MethodDescriptor:
        """Return the method of that name.

        Raises:
            MethodUnknown: there is none.
        """
        found = self._service(service).methods_by_name.get(method)
        if found is None:
            known = ", ".join(sorted(self._service(service).methods_by_name)) or "none"
            raise MethodUnknown(f"the service {service} has no method {method!r}: it has {known}")
        return found

    def _service(self, name: str) -> ServiceDescriptor:
        try:
            return self.pool.FindServiceByName(name)
        except KeyError:
            known = ", ".join(self.services) or "none"
            raise MethodUnknown(f"the proto has no service {name!r}: it has {known}") from None


class MethodUnknown(Exception):
    """The proto does not have what is called; the message says what it has."""


class Protos:
    """Schemas by what their files say; the newest used are kept."""

    def __init__(
        self, resources: Resources, compiler: Compiler, limits: ProtoLimits | None = None
    ) -> None:
        self._resources = resources
        self._compiler = compiler
        self._limits = limits or ProtoLimits()
        self._schemas: OrderedDict[bytes, Schema] = OrderedDict()

    async def schema(self, proto: Resource, *, tenant: str) -> Schema:
        """Return what *proto* describes.

        Raises:
            ProtoInvalid: it does not compile, or imports what it may not.
            ResourceFailed: it cannot be fetched.
        """
        name = _own_name(proto.uri)
        files = await self._gathered(name, proto, tenant)
        digest = _digest(name, files)
        schema = self._schemas.get(digest)
        if schema is None:
            schema = _schema(name, await self._compiler.compiled(name, files))
            self._schemas[digest] = schema
            while len(self._schemas) > _KEPT:
                _ = self._schemas.popitem(last=False)
        else:
            self._schemas.move_to_end(digest)
        return schema

    async def _gathered(self, name: str, proto: Resource, tenant: str) -> dict[str, bytes]:
        """Fetch the proto and all that it imports: from its own folder, with its own credentials."""
        files: dict[str, bytes] = {}
        wanted = {name: proto.uri}
        while wanted:
            each, uri = wanted.popitem()
            fetched = await self._resources.fetch(Resource(uri, proto.credentials), tenant=tenant)
            files[each] = fetched.content
            self._check_size(files)
            for imported in _imports(files[each]):
                if imported not in files and imported not in wanted:
                    wanted[imported] = urljoin(proto.uri, imported)
            if len(files) + len(wanted) > self._limits.files:
                raise ProtoInvalid(f"the proto imports more than {self._limits.files} files")
        return files

    def _check_size(self, files: Mapping[str, bytes]) -> None:
        if sum(map(len, files.values())) > self._limits.bytes:
            told = f"the proto and its imports have more than {self._limits.bytes} bytes"
            raise ProtoInvalid(told)


def _own_name(uri: str) -> str:
    name = urlsplit(uri).path.rpartition("/")[2]
    return name if _NAME.fullmatch(name) and len(name) <= _LONGEST_NAME else "service.proto"


def _imports(content: bytes) -> Iterator[str]:
    """Yield the names that a proto imports, but for those that every compiler knows.

    Raises:
        ProtoInvalid: a name leads out of the folder.
    """
    for found in _TOKENS.finditer(content.decode(errors="replace")):
        name = found[1]
        if name is None or name.startswith(_OF_GOOGLE):
            continue
        if _NAME.fullmatch(name) is None or len(name) > _LONGEST_NAME:
            told = f"the proto imports {name[:_LONGEST_NAME]!r}"
            raise ProtoInvalid(f"{told}: only relative names below its own folder are allowed")
        yield name


def _digest(name: str, files: Mapping[str, bytes]) -> bytes:
    digest = hashlib.sha256(name.encode())
    for each, content in sorted(files.items()):
        digest.update(f"\0{each}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.digest()


def _schema(name: str, descriptors: bytes) -> Schema:
    pool = descriptor_pool.DescriptorPool()
    services: list[str] = []
    found = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
    for file in found.file:
        pool.Add(file)
        if file.name == name:
            prefix = f"{file.package}." if file.package else ""
            services.extend(prefix + service.name for service in file.service)
    return Schema(pool, tuple(services))
