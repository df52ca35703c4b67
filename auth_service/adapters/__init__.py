"""How identity touches the world."""
