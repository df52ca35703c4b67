"""The use cases of the service, and the ports through which they reach the world."""
