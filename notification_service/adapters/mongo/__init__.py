"""The ports of the store on one MongoDB database that processes share."""
