"""The many ways to write down an address that must not be called."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import product

PRIVATE = (
    "127.0.0.1", "127.255.255.254", "127.8.8.8", "0.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.1",
    "192.168.0.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200",
    "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
)  # fmt: skip
"""Loopback, private networks, metadata services of the clouds, and what else is no place to call."""

NAMES = (
    "localhost", "LOCALHOST", "localhost.", "ip6-localhost", "lOcAlHoSt", "l%6fcalhost",
    "\uff4c\uff4fcalhost", "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
)  # fmt: skip

OTHER_SCHEMES = (
    "file:///etc/passwd", "FILE:///etc/passwd", "gopher://127.0.0.1:{port}/_GET", "ftp://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock", "unix:/var/run/docker.sock:/info", "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "dict://127.0.0.1:{port}/d", "ldap://127.0.0.1:{port}/", "tftp://127.0.0.1:{port}/x", "jar:http://127.0.0.1:{port}/!/",
    "data:text/plain,hello", "javascript:alert(1)", "ws://127.0.0.1:{port}/", "netdoc:///etc/passwd",
    "view-source:http://127.0.0.1:{port}/", "blob:http://127.0.0.1:{port}/x", "about:blank",
)  # fmt: skip


def urls(port: int) -> list[str]:
    """Every spelling, once, at *port*; all of them mean a place that must not be called."""
    return list(dict.fromkeys(_all(port)))


def _all(port: int) -> Iterator[str]:
    for address in PRIVATE:
        for host in (*_v4(IPv4Address(address)), *_v6(IPv4Address(address))):
            yield f"http://{host}:{port}/"
    for name in NAMES:
        yield f"http://{name}:{port}/"
    for host in ("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[fe80::1]", "[fc00::1]",
                 "[fd00:ec2::254]", "[ff02::1]", "[fec0::1]", "[100::1]", "[2001:db8::1]"):  # fmt: skip
        yield f"http://{host}:{port}/"
    loopback = f"127.0.0.1:{port}"
    for shape in (
        "HTTP://{}/", "hTtP://{}/", "http:/{}/", "http:{}/", "http:///{}/", "http:\\\\{}\\", "http://{}#@example.com/",
        "http://{}?@example.com/", "http://{}\\@example.com/", "http://example.com@{}/", "http://a:b@{}/",
        "http://@{}/", "http://:@{}/", " http://{}/ ", "\thttp://{}/", "ht\ntp://{}/", "http://\t{}/", "http://{}\n/",
        "https://{}/", "http://{}/../", "http://{}/%2e%2e/", "//{}/", "http://127.0.0.1\t:" + str(port) + "/",
        "http://example.com%40{}/", "http://[{}]/", "http://{};example.com/", "http://{},example.com/",
        "http://%31%32%37.0.0.1:" + str(port) + "/", "http://127%2e0%2e0%2e1:" + str(port) + "/",
    ):  # fmt: skip
        yield shape.format(loopback)
    for shape in OTHER_SCHEMES:
        yield shape.format(port=port)


def _v4(address: IPv4Address) -> Iterator[str]:
    number, octets = int(address), str(address).split(".")
    yield str(address)
    yield f"{address}."
    yield str(number)
    yield hex(number)
    yield hex(number).upper().replace("X", "x")
    yield f"0{number:o}"
    yield ".".join(hex(int(octet)) for octet in octets)
    yield ".".join(f"0{int(octet):o}" for octet in octets)
    yield ".".join(f"000{int(octet):o}" for octet in octets)
    yield f"{octets[0]}.{number & 0xFFFFFF}"
    yield f"{octets[0]}.{octets[1]}.{number & 0xFFFF}"
    yield f"{hex(int(octets[0]))}.{number & 0xFFFFFF}"
    # Digits of other alphabets, and other full stops (UTS #46).
    yield "".join(chr(ord(char) + 0xFEE0) for char in str(address))
    yield str(address).replace("1", "\u2460").replace("2", "\u2461")
    yield str(address).replace(".", "\u3002")
    yield str(address).replace(".", "\uff61")
    yield "".join(f"%{ord(char):02x}" for char in str(address))


def _v6(address: IPv4Address) -> Iterator[str]:
    """IPv6 addresses that hold an IPv4 address."""
    number = int(address)
    groups = f"{number >> 16:x}:{number & 0xFFFF:x}"
    for prefix, text in product(
        ("::ffff:", "::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::"), (groups, str(address))
    ):
        yield f"[{prefix}{text}]"
    yield f"[2002:{groups}::]"
    yield f"[2001:0:{groups}::1]"
    yield f"[fe80::5efe:{groups}]"
    yield f"[2001:67c::5efe:{groups}]"
