"""What only looks at clients and what is granted to them."""
