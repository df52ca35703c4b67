"""Short codes as the store keeps them."""

from auth_service.application.mfa.tags import CodeTags
from chassis.crypto.key_file import WrappingKeys

OLD = WrappingKeys("old", {"old": b"o" * 32})
BOTH = WrappingKeys("new", {"old": b"o" * 32, "new": b"n" * 32})
NEW = WrappingKeys("new", {"new": b"n" * 32})


def test_a_tag_is_of_one_code_for_one_purpose() -> None:
    tags = CodeTags(OLD)
    kept = tags.of("login:a", "123456")

    assert tags.matches(kept, "login:a", "123456")
    assert not tags.matches(kept, "login:a", "123457")
    assert not tags.matches(kept, "login:b", "123456")
    assert b"123456" not in kept


def test_codes_under_way_survive_a_new_key_but_not_the_loss_of_theirs() -> None:
    kept = CodeTags(OLD).of("login:a", "123456")

    assert CodeTags(BOTH).matches(kept, "login:a", "123456")
    assert not CodeTags(NEW).matches(kept, "login:a", "123456")
    assert CodeTags(BOTH).of("login:a", "123456") != kept
