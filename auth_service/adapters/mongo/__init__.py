"""The stores of identity on MongoDB, for any number of processes."""
