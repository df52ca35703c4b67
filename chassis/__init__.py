"""Technical plumbing shared by the services: nothing in here knows a business noun."""
