"""How the gateway reaches its neighbours, and how it knows who is calling."""
