"""Where services are. Import an adapter from its own module."""

from chassis.discovery.port import Registry

__all__ = ["Registry"]
