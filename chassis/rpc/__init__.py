"""Calls between services: real gRPC, authenticated, with deadlines. Import the modules, not this package."""
