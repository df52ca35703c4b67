"""What a browser says of itself, in a few known words; nothing of what it says gets through as it is."""

from typing import Final

_PROGRAMS: Final = (
    # In this order: most browsers name the others, too.
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("autoworker", "Autoworker client"),
    ("curl/", "curl"),
    ("python", "a Python program"),
    ("Go-http-client", "a Go program"),
    ("node", "a Node.js program"),
    ("okhttp", "an Android app"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
UNKNOWN: Final = "an unknown device"


def device_of(user_agent: str) -> str:
    """Such as `Firefox on Linux`; without versions, so that an update is no new device."""
    folded = user_agent.casefold()
    program = next((name for mark, name in _PROGRAMS if mark.casefold() in folded), "")
    system = next((name for mark, name in _SYSTEMS if mark.casefold() in folded), "")
    if program and system:
        return f"{program} on {system}"
    return program or system or UNKNOWN
