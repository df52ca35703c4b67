"""The ports of the store on one SQLite file."""
