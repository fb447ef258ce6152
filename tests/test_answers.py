"""What the head of an answer says, whatever it says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.errors import FetchError, Gone
from boltwatch.feeds.answers import complaint, head_of, max_age, retry_after

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
VALUES = st.text(alphabet=" ,:;+-=0123456789JanMonGMTfeb()\"'\\", max_size=40)


@given(VALUES)
def test_no_value_breaks_the_reading_and_none_asks_for_the_past(value: str) -> None:
    wait = retry_after({"retry-after": value}, NOW)
    assert wait is None or timedelta(0) <= wait <= timedelta(days=7)
    for head in ({"expires": value, "date": value}, {"cache-control": f"max-age={value}", "age": value}):
        age = max_age(head, NOW)
        assert age is None or age > timedelta(0)


def test_lists_are_joined_and_of_other_fields_the_first_counts() -> None:
    head = head_of(
        [(b"Content-Encoding", b"gzip"), (b"content-encoding", b"br"), (b"Location", b"/a"), (b"location", b"/b")]
    )
    assert head == {"content-encoding": "gzip, br", "location": "/a"}


@pytest.mark.parametrize(
    ("status", "head", "body", "words"),
    [
        (403, {}, b"<title>Just a moment...</title>", "bot wall"),
        (503, {"cf-mitigated": "challenge"}, b"", "bot wall"),
        (403, {}, b"<h1>Forbidden</h1>", "refuses to be read"),
        (401, {}, b"", "login"),
        (404, {}, b"", "is not there"),
        (999, {}, b"", "status 999"),
    ],
)
def test_the_owner_is_told_what_stands_in_the_way(status: int, head: dict[str, str], body: bytes, words: str) -> None:
    error = complaint("http://news.example/feed", status, head, body, NOW)
    assert words in str(error)
    assert type(error) is FetchError
    assert error.status == status


def test_410_alone_is_gone() -> None:
    assert isinstance(complaint("http://news.example/feed", 410, {}, b"", NOW), Gone)
