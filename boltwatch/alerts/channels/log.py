"""The log channel: an alert as one line of the program's own log. Must never write more than one line."""

import json
import logging
import re
from datetime import datetime

from boltwatch.alerts.excerpt import hit_words, link, one_line
from boltwatch.model import Alert, Message
from boltwatch.settings import LogSettings

_log = logging.getLogger("boltwatch.alerts")
_BARE = re.compile(r"[^\s\"'=\\]+")


class LogChannel:
    """Writes alerts to the logger "boltwatch.alerts" as `alert key=value …`, at the level of the settings."""

    def __init__(self, settings: LogSettings) -> None:
        self.name = settings.name
        self._level = logging.getLevelNamesMapping()[settings.level.upper()]

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Writes one line; never raises (logging keeps its handlers' troubles to itself)."""
        _log.log(self._level, "%s", _line(message.alert))
        return "logged"


def _line(alert: Alert) -> str:
    words = dict.fromkeys(word for _, word in hit_words(alert.article, alert.spans))
    values = {
        "id": str(alert.id),
        "rule": one_line(alert.rule, 100),
        "title": one_line(alert.article.title, 300),
        "url": link(alert.article.url) or "",
        "feed": one_line(alert.feed_title, 100) or one_line(alert.feed_url, 200),
        "words": ",".join(words),
    }
    return "alert " + " ".join(f"{key}={_value(value)}" for key, value in values.items())


def _value(text: str) -> str:
    """The value bare, or as a JSON string where a blank, a quote or an equals sign would blur its borders."""
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
