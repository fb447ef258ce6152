"""The [channels.NAME] tables of config.toml: which keys each type of channel has, and the settings they make."""

import ipaddress
from datetime import timedelta
from typing import Any

from boltwatch import config_values as values
from boltwatch.config_secrets import Surroundings, header_lines, secret_line, secret_url, signing_secrets
from boltwatch.config_table import Complaints, Readers, nearest, read_table, wrong
from boltwatch.errors import ConfigError
from boltwatch.settings import ChannelSettings, EmailSettings, LogSettings, WebhookSettings

TYPES = ("email", "webhook", "log")
_LATER = ("apprise", "command", "feed")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_TIMEOUT = values.duration(timedelta(seconds=1), timedelta(minutes=5))
_REQUIRED = {"email": ("host", "sender", "recipients"), "webhook": ("url",), "log": ()}


def channel_readers(kind: str, around: Surroundings) -> Readers:
    """The keys of a channel of this type, and how each is read."""
    keys = {"email": _email_keys, "webhook": _webhook_keys, "log": _log_keys}[kind](around)
    return {"type": values.text, **keys}


def _email_keys(around: Surroundings) -> Readers:
    people = values.each(values.mail_address, '["you@example.org"]')
    return {
        "host": values.host,
        "port": values.number(1, 65535),
        "security": values.one_of(*_PORTS),
        "username": values.text,
        "password": secret_line(around),
        "sender": values.mail_address,
        "recipients": values.some(people, 'at least one: ["you@example.org"]'),
        "timeout": _TIMEOUT,
    }


def _webhook_keys(around: Surroundings) -> Readers:
    return {
        "url": secret_url(around),
        "secret": signing_secrets(around),
        "headers": header_lines(around),
        "timeout": _TIMEOUT,
    }


def _log_keys(_: Surroundings) -> Readers:
    return {"level": values.one_of("debug", "info", "warning", "error")}


def read_channels(raw: object, around: Surroundings, complaints: Complaints) -> tuple[ChannelSettings, ...]:
    """Every channel that is right; what is wrong with the others is noted."""
    if not isinstance(raw, dict):
        complaints.add(("channels",), "must hold a table for each channel (such as [channels.desk])")
        return ()
    found = (_read_channel(name, raw[name], around, complaints) for name in raw)
    return tuple(channel for channel in found if channel)


def _read_channel(name: str, raw: object, around: Surroundings, complaints: Complaints) -> ChannelSettings | None:
    path = ("channels", name)
    if not isinstance(raw, dict):
        read_table(raw, path, {}, complaints)
        return None
    try:
        values.name(name)
        kind = _kind(raw)
    except ConfigError as error:
        complaints.add((*path, "type") if "type" in raw else path, str(error))
        return None
    table = read_table(raw, path, channel_readers(kind, around), complaints, required=_REQUIRED[kind])
    if table is None:
        return None
    del table["type"]
    return _settings(kind, name, table, complaints)


def _kind(raw: dict[str, Any]) -> str:
    if "type" not in raw:
        raise wrong(f"type is missing (one of {', '.join(TYPES)})")
    kind = values.text(raw["type"])
    if kind in _LATER:
        raise wrong(f'type "{kind}" is not built yet; use email, webhook or log')
    if kind not in TYPES:
        raise wrong(f'type "{kind}" is not known {nearest(kind, TYPES)}')
    return kind


def _settings(kind: str, name: str, table: dict[str, Any], complaints: Complaints) -> ChannelSettings | None:
    if kind == "email":
        return _email(name, table, complaints)
    if kind == "webhook":
        return WebhookSettings(name=name, secrets=table.pop("secret", ()), **table)
    return LogSettings(name=name, **table)


def _email(name: str, table: dict[str, Any], complaints: Complaints) -> EmailSettings | None:
    security = table.setdefault("security", "starttls")
    table.setdefault("port", _PORTS[security])
    username, password = table.setdefault("username", None), table.setdefault("password", None)
    path = ("channels", name)
    if (username is None) != (password is None):
        given, missing = ("username", "password") if password is None else ("password", "username")
        complaints.add((*path, given), f"needs {missing} beside it (or leave both out)")
        return None
    if password is not None and security == "none" and not _is_this_machine(table["host"]):
        complaints.add((*path, "security"), '"none" would send the password in the clear (use "starttls" or "tls")')
        return None
    return EmailSettings(name=name, **table)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
