"""Small config files for tests, and the two ways of loading them."""

from pathlib import Path

import pytest

from boltwatch.config import load
from boltwatch.errors import ConfigError
from boltwatch.settings import Config

WHSEC = "whsec_" + "QUJD" * 11
MAIL = '[channels.mail]\ntype = "email"\nhost = "smtp.example"\nsender = "a@b.example"\nrecipients = ["c@d.example"]\n'
HOOK = '[channels.desk]\ntype = "webhook"\nurl = "https://hook.example/in"\n'
FEED = '[[feeds]]\nurl = "https://news.example/feed"\n'
RULE = "[[rules]]\nname = \"xai\"\nmatch = 'xAI'\n"


def load_text(folder: Path, text: str | bytes, environ: dict[str, str] | None = None) -> Config:
    path = folder / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path, environ=environ or {})


def complaints_of(folder: Path, text: str | bytes, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text, environ)
    return [complaint.removeprefix(f"{folder}/") for complaint in caught.value.complaints]
