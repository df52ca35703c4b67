"""The gateway's parts, without sockets."""
