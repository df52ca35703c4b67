"""How connections between services are kept: both ends of it, since they must agree."""

MESSAGE_LIMIT = 8 * 1024 * 1024
"""Bytes of one message, in either direction."""

_BOTH = (
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)

SERVER_OPTIONS = (
    *_BOTH,
    ("grpc.keepalive_time_ms", 60_000),
    # Less than the client's interval, or the server ends the connection for "too_many_pings".
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    # Two servers on one port would share its connections by chance: the second must fail.
    ("grpc.so_reuseport", 0),
)

CLIENT_OPTIONS = (
    *_BOTH,
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A neighbour that restarts is back within a second or so, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # In spite of its name: how long an attempt to connect may take. A busy machine needs a moment.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Failures of one client's connection are nobody else's.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)
