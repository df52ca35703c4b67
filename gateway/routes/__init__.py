"""What clients see: routes, their error shape, and the strictness before them."""
