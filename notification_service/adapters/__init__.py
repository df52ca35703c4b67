"""How the ports reach the world."""
