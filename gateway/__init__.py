"""The one door for clients: HTTP outside, gRPC inside; no domain of its own."""
