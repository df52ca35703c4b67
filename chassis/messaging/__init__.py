"""Facts that services tell each other. Import an adapter from its own module."""

from chassis.messaging.port import Bus, CloudEvent, DeadLetter, DeadLetterHandler, Handler, matches

__all__ = ["Bus", "CloudEvent", "DeadLetter", "DeadLetterHandler", "Handler", "matches"]
