"""Starting workflows by their schedules: exactly once for each tick."""
