"""When workflows start by themselves: triggers, their ticks, and what is done about ticks that nobody saw."""
