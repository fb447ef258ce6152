"""The ways out: what a channel promises, and the one place that knows which class serves which settings.

A channel hands one message to the other side and says what happened. It keeps no queue and never decides on a retry.
"""

import ssl
from datetime import datetime
from typing import Protocol

import httpx

from boltwatch.alerts.channels.log import LogChannel
from boltwatch.alerts.channels.mail import MailChannel
from boltwatch.alerts.channels.webhook import WebhookChannel
from boltwatch.model import Message
from boltwatch.settings import ChannelSettings, EmailSettings, LogSettings, WebhookSettings


class Channel(Protocol):
    """One way to reach the owner."""

    @property
    def name(self) -> str:
        """The channel's name in config.toml."""
        ...

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Hands the message over; the other side's words, at most 200 characters and free of secrets.

        Raises DeliveryError and nothing else for what the world does wrong; `permanent` when trying again is of no use.
        """
        ...


def open_channel(
    settings: ChannelSettings,
    *,
    transport: httpx.AsyncBaseTransport,
    user_agent: str,
    tls: ssl.SSLContext | None = None,
) -> Channel:
    """The channel for its settings; nothing is connected yet, and nothing needs closing.

    Webhooks go through `transport`, which decides where they may connect and is closed by who made it. `tls` judges
    mail servers; None trusts what the system trusts. Raises ConfigError for settings that can never work.
    """
    match settings:
        case EmailSettings():
            return MailChannel(settings, tls=tls)
        case WebhookSettings():
            return WebhookChannel(settings, transport=transport, user_agent=user_agent)
        case LogSettings():
            return LogChannel(settings)
