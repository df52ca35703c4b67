"""The options of connections are names in a text, and gRPC ignores those it does not know."""

from pathlib import Path

from grpc._cython import cygrpc  # type: ignore[attr-defined]  # has no types

from chassis.rpc.transport import CLIENT_OPTIONS, SERVER_OPTIONS


def test_grpc_knows_every_option_that_connections_are_given() -> None:
    library = Path(cygrpc.__file__).read_bytes()
    names = {name for name, _ in (*CLIENT_OPTIONS, *SERVER_OPTIONS)}

    assert not {name for name in names if name.encode() not in library}


def test_a_server_accepts_pings_more_often_than_a_client_sends_them() -> None:
    accepted = dict(SERVER_OPTIONS)["grpc.http2.min_ping_interval_without_data_ms"]

    assert accepted < dict(CLIENT_OPTIONS)["grpc.keepalive_time_ms"]
