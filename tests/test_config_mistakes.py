"""Laws of complaints: each mistake is told once, at its line, with what would be right; all at once; never a secret."""

from pathlib import Path

import pytest

from boltwatch.config import load
from boltwatch.errors import ConfigError
from tests.config_texts import FEED, HOOK, MAIL, RULE, complaints_of

# Each text has exactly this one mistake.
MISTAKES = [
    ("databse = 'x.db'", "config.toml:1 databse: unknown key (did you mean database?)"),
    ("\n[[feed]]", "config.toml:2 feed: unknown key (did you mean feeds?)"),
    (
        "zzz = 1",
        "config.toml:1 zzz: unknown key (known: database, alert_on_first_poll, network, feeds, rules, channels)",
    ),
    (
        FEED + 'database = "x.db"',
        "config.toml:3 feeds[1].database: unknown key (it belongs at the top of the file, above the first [table])",
    ),
    ("database = 3", 'config.toml:1 database: must be text in quotes, not a number (such as "abc")'),
    ('database = ":memory:"', 'config.toml:1 database: must be a file (such as "boltwatch.db")'),
    ('database = "~/x.db"', "config.toml:1 database: begins with ~/, but HOME is not set (write the whole path)"),
    (
        'alert_on_first_poll = "yes"',
        "config.toml:1 alert_on_first_poll: must be true or false without quotes, not text",
    ),
    ("[network]\nworkers = 257", "config.toml:2 network.workers: 257 is out of range (from 1 to 256)"),
    ('[network]\ngap = "2h"', 'config.toml:2 network.gap: "2h" is out of range (from 0s to 1h)'),
    ("[network]\n\nper_host = 0", "config.toml:3 network.per_host: 0 is out of range (from 1 to 10)"),
    (
        "[network]\nper_host = true",
        "config.toml:2 network.per_host: must be a whole number without quotes, not true or false (from 1 to 10)",
    ),
    (
        '[network]\nallow_private = [\n"10.0.0.1/8"]',
        'config.toml:2 network.allow_private: element 1: "10.0.0.1/8" has bits set behind its mask '
        '(did you mean "10.0.0.0/8"?)',
    ),
    (
        '[network]\nallow_private = ["http://nas"]',
        'config.toml:2 network.allow_private: element 1: "http://nas" is no network, address or host name '
        '(such as "192.168.0.0/16" or "nas.home")',
    ),
    (
        '[network]\nallow_private = ["10.0.0.300"]',
        'config.toml:2 network.allow_private: element 1: "10.0.0.300" is no network, address or host name '
        '(such as "192.168.0.0/16" or "nas.home")',
    ),
    (
        '[network]\nallow_private = "nas"',
        "config.toml:2 network.allow_private: must be a list, not text "
        '(such as ["192.168.0.0/16", "nas.home"])',
    ),
    (
        '[network]\ncontact = "Müller"',
        "config.toml:2 network.contact: must be plain ASCII without brackets, it goes into a header "
        "(an e-mail address or a web address)",
    ),
    ('[network]\ncontact = "a\\nb"', "config.toml:2 network.contact: must be a single line, without tabs"),
    (
        '[network]\ncontact = "a\u00a0b"',
        "config.toml:2 network.contact: holds a character that cannot be seen "
        "(U+00A0; type the text anew if it was pasted)",
    ),
    (
        "[[rules]]\nname = 'a,b'\nmatch = 'c'",
        "config.toml:2 rules.a,b.name: must hold neither quotation marks nor commas",
    ),
    (
        "[[rules]]\nname = '" + "n" * 101 + "'\nmatch = 'c'",
        "config.toml:2 rules." + "n" * 101 + ".name: is 101 characters long (at most 100)",
    ),
    ("network = 1", "config.toml:1 network: must be a table, not a number (write [network] on a line of its own)"),
    ("[[feeds]]\n", "config.toml:1 feeds[1]: url is missing"),
    (
        '[feeds]\nurl = "https://a.example"',
        "config.toml:1 feeds: must be a list of tables, not one table (write [[feeds]] with two brackets above each)",
    ),
    (
        'feeds = ["https://a.example"]',
        "config.toml:1 feeds[1]: must be a table, not text (write [[feeds]] on a line of its own)",
    ),
    (FEED + "name = 'X'", "config.toml:3 feeds[1].name: unknown key (did you mean title?)"),
    (FEED + "interval = '1h'", "config.toml:3 feeds[1].interval: unknown key (did you mean every?)"),
    (
        FEED + "every = 15",
        'config.toml:3 feeds[1].every: must be a duration in quotes, not a number '
        '(such as "30s", "15m", "1h30m" or "2d")',
    ),
    (
        FEED + "every = '15 min'",
        'config.toml:3 feeds[1].every: "15 min" is not a duration (write it like "30s", "15m", "1h30m" or "2d")',
    ),
    (FEED + "every = '0s'", 'config.toml:3 feeds[1].every: "0s" is out of range (from 1s to 30d)'),
    (
        FEED + "full_text = 'always'",
        'config.toml:3 feeds[1].full_text: full pages are not fetched yet; use "never" or leave it out',
    ),
    (
        FEED + "full_text = 'nevr'",
        'config.toml:3 feeds[1].full_text: "nevr" is not known (did you mean "never"?)',
    ),
    (
        FEED + FEED.replace("news.example", "NEWS.example:443"),
        "config.toml:4 feeds[2].url: stands there already, on line 2 (remove one of the two)",
    ),
    ("[[rules]]\nmatch = 'a'", "config.toml:1 rules[1]: name is missing"),
    (RULE + RULE, "config.toml:5 rules.xai.name: stands there already, on line 2 (remove one of the two)"),
    ("[[rules]]\nname = 'x'", "config.toml:1 rules.x: has neither match nor keywords (write one)"),
    (RULE + "keywords = ['b']", "config.toml:1 rules.xai: has both match and keywords (keep one)"),
    ("[[rules]]\nname = 'x'\nkeywords = []", 'config.toml:3 rules.x.keywords: is empty (at least one: ["xAI"])'),
    ("[[rules]]\nname = 'x'\nmatch = ' '", "config.toml:3 rules.x.match: is empty"),
    (
        RULE + "channels = ['desk']\n" + HOOK.replace("desk", "desktop"),
        'config.toml:4 rules.xai.channels: channel "desk" is not defined (did you mean "desktop"?)',
    ),
    (
        RULE + "channels = ['desk']",
        'config.toml:4 rules.xai.channels: channel "desk" is not defined '
        "(no channel is: write a table [channels.NAME])",
    ),
    (
        RULE + "channels = []\n",
        "config.toml:4 rules.xai.channels: is empty (no alert would go anywhere; without the key all get it)",
    ),
    (
        RULE + "feeds = ['news.example/feed']",
        "config.toml:4 rules.xai.feeds: element 1: does not begin with https:// or http:// "
        '(did you mean "https://news.example/feed"?)',
    ),
    ("[channels.x]", "config.toml:1 channels.x: type is missing (one of email, webhook, log)"),
    (
        "[channels.x]\ntype = 'apprise'",
        'config.toml:2 channels.x.type: type "apprise" is not built yet; use email, webhook or log',
    ),
    (
        "[channels.x]\ntype = 'mail'",
        'config.toml:2 channels.x.type: type "mail" is not known (did you mean "email"?)',
    ),
    (
        "[[channels.x]]\ntype = 'log'",
        "config.toml:1 channels.x: must be a table, not a list (write [channels.x] on a line of its own)",
    ),
    ("channels = []", "config.toml:1 channels: must hold a table for each channel (such as [channels.desk])"),
    (MAIL + "to = []", "config.toml:6 channels.mail.to: unknown key (did you mean recipients?)"),
    (MAIL + 'username = "me"', "config.toml:6 channels.mail.username: needs password beside it (or leave both out)"),
    (MAIL + 'password = "me"', "config.toml:6 channels.mail.password: needs username beside it (or leave both out)"),
    (
        MAIL + 'username = "me"\npassword = "pst"\nsecurity = "none"',
        'config.toml:8 channels.mail.security: "none" would send the password in the clear (use "starttls" or "tls")',
    ),
    (
        MAIL.replace("c@d.example", "c@d.example, e@f.example"),
        "config.toml:5 channels.mail.recipients: element 1: must be one e-mail address "
        '(such as "ops@example.org" or "Boltwatch <ops@example.org>")',
    ),
    (
        MAIL.replace('"c@d.example"', '"c@d.example", "c@d.example"'),
        "config.toml:5 channels.mail.recipients: element 2 stands there twice",
    ),
    (
        MAIL.replace("smtp.example", "smtp://mail.example:25"),
        "config.toml:3 channels.mail.host: must be a host name alone, without scheme, port or path "
        '(such as "mail.example.org")',
    ),
    (
        HOOK + 'headers = { Host = "x" }',
        "config.toml:4 channels.desk.headers: Host: is set by Boltwatch itself (leave it out)",
    ),
    (
        HOOK + 'headers = { X-Key = "a\\nb" }',
        "config.toml:4 channels.desk.headers: X-Key: must be a single line without control characters",
    ),
    (
        HOOK + "secret = { evn = 'A' }",
        "config.toml:4 channels.desk.secret: unknown way to give a secret (did you mean env?)",
    ),
    (
        HOOK + "secret = { env = 'A', file = 'b' }",
        "config.toml:4 channels.desk.secret: must name exactly one place (one of env, file, credential)",
    ),
    (
        HOOK + "secret = { env = 'A_KEY' }",
        "config.toml:4 channels.desk.secret: the environment variable A_KEY is not set (set it before the start)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "complaint"), MISTAKES, ids=lambda value: str(value)[-40:])
def test_a_mistake_is_told_once_with_its_line_and_what_would_be_right(
    tmp_path: Path, text: str, complaint: str
) -> None:
    assert complaints_of(tmp_path, text) == [complaint]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "\n".join(
        f"{mistaken}\n" for mistaken in ("a = 1", "[network]\nb = 2", FEED + "every = 1\nc = 2", RULE + "d = 4")
    )
    lines = [int(complaint.split(":")[1].split(" ")[0]) for complaint in complaints_of(tmp_path, text)]
    assert lines == sorted(lines) and len(lines) == 5


def test_a_rule_that_cannot_be_read_is_shown_with_a_caret_under_its_fault(tmp_path: Path) -> None:
    first, *block = complaints_of(tmp_path, "\n[[rules]]\nname = 'x'\nmatch = 'xAI Grok'")[0].split("\n")
    assert first == "config.toml:4 rules.x.match: cannot be read as a rule"
    assert block[0] == "    xAI Grok" and block[1].startswith("        ^ column 5: ")
    assert all(line.startswith("    ") for line in block)


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a = 1\nb = xAI\n", 2, "text stands in quotes"),
        ("[x]\n[x]\n", 2, "stands there twice"),
        ("database = 'a'\n\ndatabase = 'b'", 3, "this key stands there twice"),
        ('a = "x\nb = 1', 1, "quotation mark is missing"),
        ('a = 1\nb = """x\n\n\n', 2, "quotation mark is missing"),
        ('a = "C:\\dir"\n', 1, "single quotes"),
        ("a = 1\nb = [1,\n\n", 2, "a ] or } that closes one"),
    ],
)
def test_broken_toml_is_told_with_its_line(tmp_path: Path, text: str, line: int, hint: str) -> None:
    (complaint,) = complaints_of(tmp_path, text)
    assert complaint.startswith(f"config.toml:{line}: not valid TOML: ") and hint in complaint


def test_lists_nested_without_end_are_a_complaint_too(tmp_path: Path) -> None:
    assert "nested too deeply" in complaints_of(tmp_path, "a = " + "[" * 50_000)[0]


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    assert complaints_of(tmp_path, b"a = 1\nb = '\xe4'") == [
        "config.toml:2: the file is not UTF-8 from here on (save it as UTF-8)"
    ]
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "missing.toml", environ={})
    with pytest.raises(ConfigError, match="is a folder"):
        load(tmp_path, environ={})


HIDDEN = "Xyzzy42"
LEAKS = [
    HOOK + f'secret = "{HIDDEN}"',
    HOOK + f'secret = "whsec_{HIDDEN}"',
    HOOK + f'headers = {{ A = "{HIDDEN}ü" }}',
    HOOK + f'headers = {{ A = "{HIDDEN}\\n" }}',
    HOOK.replace("https://hook.example/in", f"hook.example/{HIDDEN}"),
    HOOK.replace("https://hook.example/in", f"https://u:{HIDDEN}@/"),
    HOOK.replace("https://hook.example/in", f"https://u:{HIDDEN}@hook.example:x/"),
    FEED.replace("https://news.example/feed", f"u:{HIDDEN}@news.example/feed"),
    FEED.replace("https://", f"ftp://u:{HIDDEN}@"),
    MAIL + f'username = "me"\npassword = "{HIDDEN}\\t"',
    MAIL + f'username = "me"\npassword = {{ "{HIDDEN}" = 1 }}',
    MAIL + f'username = "me"\npassword = "{HIDDEN}',
    MAIL + f'username = "me"\npassword = {HIDDEN}',
]


@pytest.mark.parametrize("text", LEAKS)
def test_no_complaint_shows_a_secret(tmp_path: Path, text: str) -> None:
    assert HIDDEN not in "\n".join(complaints_of(tmp_path, text))
