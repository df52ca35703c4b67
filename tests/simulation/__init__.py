"""The engine under random schedules and faults: one seed, one run."""
