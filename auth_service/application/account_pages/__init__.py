"""Pages about accounts, for people with a browser and without a login."""
