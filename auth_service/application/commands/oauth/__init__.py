"""What changes something about clients and what is granted to them."""
