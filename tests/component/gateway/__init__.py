"""The gateway over real HTTP, its neighbours played over real gRPC."""
