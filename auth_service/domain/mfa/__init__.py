"""Second factors: what they are, what their codes look like, and how much a proof is worth."""
