"""Cursors and page sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notification_service.application.paging import cursor_of, page_size, position_of
from notification_service.domain.errors import CursorInvalid, LimitOutOfRange


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_leads_back_to_its_position(position: int) -> None:
    assert position_of("things", cursor_of("things", position)) == position


@given(st.text(min_size=1))
def test_whatever_is_not_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid):
        position_of("things", text)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        position_of("things", cursor_of("others", 1))


def test_a_position_that_no_store_can_hold_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        position_of("things", cursor_of("things", 2**63))


def test_no_limit_is_the_default_one() -> None:
    assert (page_size(0), page_size(1), page_size(200)) == (50, 1, 200)


@pytest.mark.parametrize("limit", [-1, 201])
def test_a_limit_out_of_range_names_the_field(limit: int) -> None:
    with pytest.raises(LimitOutOfRange) as caught:
        page_size(limit)

    assert caught.value.details[0].field == "limit"
