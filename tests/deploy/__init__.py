"""What whoever runs the suite elsewhere is given."""
