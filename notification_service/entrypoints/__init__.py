"""How the world reaches the use cases."""
