"""Rules and use cases of identity, without sockets."""
