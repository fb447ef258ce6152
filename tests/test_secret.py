"""Laws of Secret: it can be used, compared and copied; it cannot be seen, changed or pickled."""

import copy
import logging
import pickle

import pytest

from boltwatch.secret import Secret


def test_a_secret_shows_itself_only_when_asked(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("open sesame")
    logging.getLogger("boltwatch.test").warning("%s %r %s", secret, secret, {"password": secret})
    shown = f"{secret} {secret!r} {[secret]} {caplog.text}"
    assert "sesame" not in shown and "***" in shown
    assert secret.reveal() == "open sesame"


def test_equal_texts_make_equal_secrets_and_no_text_equals_one() -> None:
    assert Secret("a") == Secret("a") and hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b") and Secret("a") != "a"
    assert Secret("a") and not Secret("")


def test_a_secret_stays_what_it_is() -> None:
    secret = Secret("a")
    with pytest.raises(AttributeError):
        secret._text = "b"
    assert copy.deepcopy(secret) is secret and copy.copy(secret) is secret


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret("open sesame"))
