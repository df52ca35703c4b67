"""How a broker is used."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RabbitSettings:
    """How the broker is used. Times are seconds."""

    url: str = field(repr=False)
    prefix: str = "autoworker"
    """Begins the names of all exchanges and queues."""
    largest: int = 8 * 1024 * 1024
    """Bytes of a message's body above which it is refused unread."""
    in_flight: int = 500
    """How many messages wait for their confirmation at the most."""
    patience: float = 5.0
    """How long publishing waits for the broker before it fails."""
    confirm: float = 15.0
    """How long the broker may take to confirm some messages; a quorum that elects a leader needs some."""
    watch: float = 5.0
    """How often it is looked whether consumers are still there."""
