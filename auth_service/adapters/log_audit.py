"""Which of identity's events are warnings in the log."""

ALARMING = frozenset(
    {
        "refresh_reused",
        "login_throttled",
        "mfa_throttled",
        "mfa_challenge_refused",
        "mfa_sending_throttled",
        "mfa_seed_broken",
        "factors_reset",
        "change_unconfirmed",
    }
)
"""What somebody should look at."""
