"""The log channel: one alert, one line, whatever the article says."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from boltwatch.alerts.channels.log import LogChannel
from boltwatch.alerts.compose import compose
from boltwatch.model import Alert, Article, Span
from boltwatch.settings import Level, LogSettings

CREATED_AT = datetime(2026, 11, 24, 8, 0, 30, tzinfo=UTC)


def send(title: str = "xAI baut", *, level: Level = "info", feed_title: str = "Zwei Welten") -> str:
    text = "Die Firma xAI kennt Grok."
    of = Article("a", "d", "https://news.example/x?a=1", title, "", text)
    hits = (Span("text", 10, 13), Span("text", 20, 24))
    alert = Alert(7, "xai", "xAI OR Grok", 41, of, hits, feed_title, "https://n.example/f", CREATED_AT, 5)
    by = LogChannel(LogSettings("journal", level))
    assert by.name == "journal"
    return asyncio.run(by.send(compose(alert, key="k"), attempt_at=CREATED_AT))


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_an_alert_is_one_line_of_keys_and_values_at_its_level(level: Level, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="boltwatch.alerts"):
        assert send(level=level) == "logged"
    ((logger, number, line),) = caplog.record_tuples
    assert (logger, logging.getLevelName(number)) == ("boltwatch.alerts", level.upper())
    assert line == (
        'alert id=7 rule=xai title="xAI baut" url="https://news.example/x?a=1" feed="Zwei Welten" words=xAI,Grok'
    )


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("zwei\r\nERROR falsch", 'title="zwei ERROR falsch"'),
        ("\x1b[2Jweg\x00", "title=[2Jweg"),
        ("\u202eab\u2028c", 'title="ab c"'),
        ('a" level=x', 'title="a\\" level=x"'),
        ("Grüße", "title=Grüße"),
        ("50%s", "title=50%s"),
    ],
)
def test_no_title_can_forge_a_line_or_a_value(title: str, shown: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="boltwatch.alerts"):
        send(title)
    (line,) = caplog.messages
    assert shown in line
    assert line.isprintable()


def test_a_feed_without_a_title_is_called_by_its_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="boltwatch.alerts"):
        send(feed_title=" ")
    assert "feed=https://n.example/f " in caplog.messages[0]
