"""The webhook channel: an alert as signed JSON, after Standard Webhooks 1.0.0.

Sends one POST and judges the answer. Must not follow redirects, choose where it may connect (the transport does) or
let the address, a header's value or a signing secret into a message.
"""

import asyncio
import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from boltwatch.alerts.excerpt import one_line
from boltwatch.errors import BoltwatchError, ConfigError, DeliveryError
from boltwatch.model import Message
from boltwatch.secret import Secret
from boltwatch.settings import WebhookSettings

ANSWER_LIMIT = 200  # characters kept of what the receiver says
LONGEST_WAIT = timedelta(days=1)  # a Retry-After beyond this is taken as this
_BODY_LIMIT = 2_000  # octets read of an answer; the rest is left unread
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_OURS = {"webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length", "host"}


class WebhookChannel:
    """Posts alerts to one address.

    Delivered: any 2xx. Permanent: 410 alone, by which a receiver retires its address; every other answer, redirects
    and 4xx included, is tried again, because the owner may mend the receiver or the settings meanwhile.
    """

    def __init__(self, settings: WebhookSettings, *, transport: httpx.AsyncBaseTransport, user_agent: str) -> None:
        self.name = settings.name
        self._url = _address(settings)
        self._keys = tuple(_key(self.name, secret) for secret in settings.secrets)
        self._headers = _headers(settings, user_agent)
        self._timeout = settings.timeout.total_seconds()
        self._hidden = _hidden(settings, self._url)
        # No trust_env: a proxy from the environment would connect where the transport has not looked.
        self._client = httpx.AsyncClient(transport=transport, timeout=self._timeout, trust_env=False)

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Posts the payload once; "204 No Content: what the receiver said"."""
        request = self._request(message, attempt_at)
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.send(request, stream=True, follow_redirects=False)
                try:
                    body = await _beginning(response)
                finally:
                    await response.aclose()
                    self._client.cookies.clear()
        except (TimeoutError, httpx.TimeoutException):
            raise self._error(f"no answer within {self._timeout:g} s") from None
        except (httpx.HTTPError, BoltwatchError, OSError) as error:
            raise self._error(str(error) or type(error).__name__) from None
        return self._judged(response, body, attempt_at)

    def _request(self, message: Message, attempt_at: datetime) -> httpx.Request:
        body = message.payload.encode()
        headers = self._headers | {
            "content-type": b"application/json",
            "webhook-id": message.key.encode(),
            "webhook-timestamp": str(int(attempt_at.timestamp())).encode(),
        }
        if self._keys:
            signatures = (signature(key, message.key, attempt_at, body) for key in self._keys)
            headers["webhook-signature"] = " ".join(signatures).encode()
        pairs = [(name.encode(), value) for name, value in headers.items()]
        return self._client.build_request("POST", self._url, content=body, headers=pairs)

    def _judged(self, response: httpx.Response, body: str, attempt_at: datetime) -> str:
        said = f"{response.status_code} {response.reason_phrase}".strip() + (f": {body}" if body.strip() else "")
        if response.is_success:
            return one_line(self._hide(said), ANSWER_LIMIT)
        if response.is_redirect:
            said = f"{response.status_code}, a redirect, which is never followed; name the final address"
        permanent = response.status_code == httpx.codes.GONE
        wait = None if permanent else retry_after(response.headers.get("retry-after"), attempt_at)
        raise self._error(f"answered {said}", permanent=permanent, wait=wait)

    def _error(self, what: str, *, permanent: bool = False, wait: timedelta | None = None) -> DeliveryError:
        where = f'webhook "{self.name}" at {self._url.host}: '
        return DeliveryError(where + one_line(self._hide(what), ANSWER_LIMIT), permanent=permanent, wait=wait)

    def _hide(self, text: str) -> str:
        for hidden in self._hidden:
            text = text.replace(hidden, "***")
        return text


def signature(key: bytes, message_id: str, at: datetime, body: bytes) -> str:
    """One element of the webhook-signature header (Standard Webhooks 1.0.0, "signature scheme", symmetric)."""
    signed = f"{message_id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for (RFC 9110 section 10.2.3), zero to a day; None if it is not clear."""
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return min(timedelta(seconds=int(text.lstrip("0")[:9] or 0)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


async def _beginning(response: httpx.Response) -> str:
    """The first part of the answer, as it came: a packed body is not unpacked, because it may be a bomb."""
    if "content-encoding" in response.headers:
        return ""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk[:_BODY_LIMIT]
        if len(body) >= _BODY_LIMIT:
            break
    return body[:_BODY_LIMIT].decode(errors="replace")


def _address(settings: WebhookSettings) -> httpx.URL:
    try:
        url = httpx.URL(settings.url.reveal())
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise _mistake(settings.name, "url must be a complete http or https address")
    return url


def _key(name: str, secret: Secret) -> bytes:
    try:
        key = base64.b64decode(secret.reveal().removeprefix("whsec_"), validate=True)
    except ValueError:  # not base64, or not even ASCII
        key = b""
    if not 24 <= len(key) <= 64:
        raise _mistake(name, 'a secret must be "whsec_" and the base64 of 24 to 64 random bytes')
    return key


def _headers(settings: WebhookSettings, user_agent: str) -> dict[str, bytes]:
    headers = {"user-agent": user_agent.encode(), "accept": b"*/*", "accept-encoding": b"identity"}
    for name, value in settings.headers:
        text = value.reveal()
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise _mistake(settings.name, f"header {one_line(name, 40)!r} is not a header name that may be set")
        if not text.isprintable():
            raise _mistake(settings.name, f"the value of header {name!r} holds a line break or control character")
        headers[name.lower()] = text.encode()
    return headers


def _hidden(settings: WebhookSettings, url: httpx.URL) -> tuple[str, ...]:
    """What must never be read in a message: longest first, so that no part of one is left standing."""
    parts = {settings.url.reveal(), str(url), url.raw_path.decode(), url.path, url.query.decode(), url.password}
    parts |= {segment for segment in url.path.split("/") if len(segment) > 7}
    for secret in (*settings.secrets, *(value for _, value in settings.headers)):
        parts |= {secret.reveal(), secret.reveal().removeprefix("whsec_"), secret.reveal().rpartition(" ")[2]}
    return tuple(sorted((part for part in parts if len(part) > 3), key=len, reverse=True))


def _mistake(name: str, what: str) -> ConfigError:
    return ConfigError((f'channel "{name}": {what}',))
