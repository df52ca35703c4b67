"""All stores of the workflow service on MongoDB, see docs/adr/0014."""
