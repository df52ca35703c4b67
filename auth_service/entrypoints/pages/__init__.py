"""What browsers are shown: one template for each kind of page, no scripts, everything escaped."""
