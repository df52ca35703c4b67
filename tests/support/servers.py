"""Real servers for tests: where one is, a test uses it; where none is, it is skipped, or fails when they are required.

Never flushed, restarted or reconfigured: what a test makes there has a name of its own, and is deleted.
"""

from __future__ import annotations

import atexit
import os
import socket
from functools import cache

import pytest

from tests.support import mongodb, rabbitmq

LOCAL_BROKER = "amqp://guest:guest@127.0.0.1:5672/"
LOCAL_REDIS = "redis://127.0.0.1:6379/0"


@cache
def amqp_url() -> str:
    """Return where RabbitMQ is: ``TEST_AMQP_URL``, the one of this machine, or one that is started for these tests."""
    named = os.environ.get("TEST_AMQP_URL")
    if named:
        return named
    if answers("127.0.0.1", 5672):
        return LOCAL_BROKER
    if rabbitmq.BINARY.exists():
        return rabbitmq.start()
    return absent("RabbitMQ", "TEST_AMQP_URL")


@cache
def redis_url() -> str:
    """Return where Redis is: ``TEST_REDIS_URL``, or the one of this machine."""
    named = os.environ.get("TEST_REDIS_URL")
    if named:
        return named
    if answers("127.0.0.1", 6379):
        return LOCAL_REDIS
    return absent("Redis", "TEST_REDIS_URL")


@cache
def mongo_url() -> str:
    """Return where MongoDB is: ``TEST_MONGO_URL``, or a compatible stand-in that is started for these tests."""
    named = os.environ.get("TEST_MONGO_URL")
    if named:
        atexit.register(mongodb.drop_databases)
        return named
    if mongodb.BINARY.exists():
        return mongodb.start()
    return absent("MongoDB", "TEST_MONGO_URL")


def answers(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def absent(server: str, setting: str) -> str:
    """Skip the test; fail it where ``REQUIRE_SERVERS`` is set."""
    told = f"no {server}: start one, or say in {setting} where it is"
    if os.environ.get("REQUIRE_SERVERS"):
        pytest.fail(told)
    pytest.skip(told)
