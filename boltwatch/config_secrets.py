"""Where a secret of config.toml comes from: the file itself, the environment, another file, a systemd credential.

No complaint ever holds a secret, nor what stands in the place of one.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from boltwatch.config_table import kind, nearest, wrong
from boltwatch.config_values import text, url
from boltwatch.errors import ConfigError
from boltwatch.secret import Secret

_WAYS = ("env", "file", "credential")
_MAX_BYTES = 64 * 1024
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token, RFC 9110 section 5.6.2
_OWN_HEADERS = {"connection", "content-length", "content-type", "host", "transfer-encoding", "user-agent"}
_HOW_TO_MAKE = "make one: python3 -c \"import base64,os; print('whsec_'+base64.b64encode(os.urandom(32)).decode())\""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a config file may point at: the environment, and files relative to its own folder."""

    environ: Mapping[str, str]
    folder: Path

    def place(self, name: str) -> Path:
        """The file a path in config.toml means: absolute, below the home folder (~/), or relative to the config."""
        if name.startswith("~/"):
            home = self.environ.get("HOME")
            if not home:
                raise wrong("begins with ~/, but HOME is not set (write the whole path)")
            return Path(home, name[2:])
        return self.folder / name

    def secret(self, raw: object) -> Secret:
        """A secret, wherever it lies."""
        if isinstance(raw, str):
            return _filled(raw, "is empty")
        if not isinstance(raw, dict):
            raise wrong(f'must be text in quotes or {{ env = "NAME" }}, {{ file = "PATH" }}, not {kind(raw)}')
        for key in raw:
            if key not in _WAYS:  # and it is not repeated: it may be the secret itself
                raise wrong(f"unknown way to give a secret {nearest(key, _WAYS, quote='')}")
        if len(raw) != 1:
            raise wrong(f"must name exactly one place (one of {', '.join(_WAYS)})")
        ((way, where),) = raw.items()
        return {"env": self._from_env, "file": self._from_file, "credential": self._from_credential}[way](text(where))

    def _from_env(self, name: str) -> Secret:
        if name not in self.environ:
            raise wrong(f"the environment variable {name} is not set (set it before the start)")
        return _filled(self.environ[name], f"the environment variable {name} is empty")

    def _from_file(self, name: str) -> Secret:
        return _read(self.place(name))

    def _from_credential(self, name: str) -> Secret:
        folder = self.environ.get("CREDENTIALS_DIRECTORY")
        if "/" in name or name in (".", ".."):
            raise wrong("must be the name of a credential, not a path (a path is given as { file = … })")
        if not folder:
            raise wrong(
                f"systemd has handed over no credentials (LoadCredential={name}:/path/to/it belongs into the unit; "
                "outside of systemd use env or file)"
            )
        return _read(Path(folder, name))


def _read(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        content = data.decode().rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise wrong(f"the secret cannot be read from {path}: {reason}") from None
    if len(data) > _MAX_BYTES:
        raise wrong(f"{path} is too long for a secret (at most 64 KiB)")
    return _filled(content, f"{path} is empty")


def _filled(value: str, complaint: str) -> Secret:
    if not value.strip():
        raise wrong(complaint)
    return Secret(value)


def secret_line(around: Surroundings) -> Callable[[object], Secret]:
    """A reader of secrets that are typed or sent on one line: passwords, header values."""

    def read(raw: object) -> Secret:
        secret = around.secret(raw)
        if any(char < " " or char == "\x7f" for char in secret.reveal()):
            raise wrong("must be a single line without control characters")
        return secret

    return read


def secret_url(around: Surroundings) -> Callable[[object], Secret]:
    """A reader of web addresses that may hold a token."""

    def read(raw: object) -> Secret:
        return Secret(url(around.secret(raw).reveal(), hidden=True))

    return read


def signing_secrets(around: Surroundings) -> Callable[[object], tuple[Secret, ...]]:
    """A reader of one or several Standard Webhooks secrets: whsec_ and base64 of 24 to 64 bytes."""

    def read_one(raw: object) -> Secret:
        secret = around.secret(raw)
        value = secret.reveal().strip()
        try:
            size = len(base64.b64decode(value.removeprefix("whsec_"), validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if not value.startswith("whsec_") or not 24 <= size <= 64:
            raise wrong(f"must be whsec_ and the base64 of 24 to 64 random bytes ({_HOW_TO_MAKE})")
        return Secret(value)

    def read(raw: object) -> tuple[Secret, ...]:
        many = raw if isinstance(raw, list) else [raw]
        if not many:
            raise wrong("is empty (leave the key out to send without a signature)")
        return tuple(read_one(one) for one in many)

    return read


def header_lines(around: Surroundings) -> Callable[[object], tuple[tuple[str, Secret], ...]]:
    """A reader of a table of request headers whose values are secrets."""
    read_value = secret_line(around)

    def read_one(name: str, raw: object) -> tuple[str, Secret]:
        if not _HEADER_NAME.fullmatch(name):
            raise wrong("is not the name of a header")
        if name.lower() in _OWN_HEADERS or name.lower().startswith("webhook-"):
            raise wrong("is set by Boltwatch itself (leave it out)")
        value = read_value(raw)
        if not value.reveal().isascii():
            raise wrong("must be plain ASCII, as headers are")
        return name, value

    def read(raw: object) -> tuple[tuple[str, Secret], ...]:
        if not isinstance(raw, dict):
            raise wrong(f'must be a table, not {kind(raw)} (such as {{ Authorization = {{ env = "NAME" }} }})')
        headers: list[tuple[str, Secret]] = []
        faults: list[str] = []
        for name, value in raw.items():
            try:
                headers.append(read_one(name, value))
            except ConfigError as error:
                faults += [f"{name}: {complaint}" for complaint in error.complaints]
        if faults:
            raise ConfigError(tuple(faults))
        return tuple(headers)

    return read
