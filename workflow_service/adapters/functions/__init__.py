"""Functions that the operator serves in this process."""
