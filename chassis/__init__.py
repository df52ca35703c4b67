"""Technical plumbing shared by the services: nothing in here knows a business noun."""

import os

# Read by the library when it is imported, so this has to come before: see docs/adr/0013.
os.environ.setdefault(
    "GRPC_EXPERIMENTS",
    "-event_engine_client,-event_engine_listener,-event_engine_callback_cq",
)
