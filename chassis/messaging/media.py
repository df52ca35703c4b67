"""What kind of data an event carries."""


def is_json(media_type: str | None) -> bool:
    """Whether data of *media_type* is JSON; without one it is, as CloudEvents has it."""
    essence = (media_type or "application/json").partition(";")[0].strip().lower()
    return essence in {"application/json", "text/json"} or essence.endswith("+json")
