"""Laws of toml_lines: every key has its line, and nothing in a string, comment or array is taken for one."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.toml_lines import KeyPath, key_lines, last_key_line, nearest_line

TABLES = [
    ("a = 1\nb = 2", {("a",): 1, ("b",): 2}),
    ("\n# c = 1\n\n  a = 1 # = 2", {("a",): 4}),
    ("a.b.c = 1", {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1}),
    ("'x.y'.\"z \\\" \\u00e4\" = 1", {("x.y",): 1, ("x.y", 'z " ä'): 1}),
    ("[t]\na = 1\n[t.u]\nb = 1", {("t",): 1, ("t", "a"): 2, ("t", "u"): 3, ("t", "u", "b"): 4}),
    ("[ t . 'u' ]\n", {("t",): 1, ("t", "u"): 1}),
    ("[[f]]\na=1\n[[f]]\na=2", {("f",): 1, ("f", 0): 1, ("f", 0, "a"): 2, ("f", 1): 3, ("f", 1, "a"): 4}),
    ("[[f]]\n[f.s]\nx=1", {("f",): 1, ("f", 0): 1, ("f", 0, "s"): 2, ("f", 0, "s", "x"): 3}),
    ("[[f]]\n[[f.g]]\n[[f.g]]\ny=1", {("f",): 1, ("f", 0): 1, ("f", 0, "g"): 2, ("f", 0, "g", 0): 2}
     | {("f", 0, "g", 1): 3, ("f", 0, "g", 1, "y"): 4}),
    ('a = """\n[b]\nc = 1\n""\\""""""\nd = 1', {("a",): 1, ("d",): 5}),
    ("a = '''\n[b]\nc = ''1'''''\nd = 1", {("a",): 1, ("d",): 4}),
    ("a = [\n  1, # x = [\n  '],',\n]\nb = 1", {("a",): 1, ("a", 0): 2, ("a", 1): 3, ("b",): 5}),
    ("a = { b = 1, 'c' = [ 2 ] }\nd = 1979-05-27 07:32:00 # e = 1\nf = 1", {("a",): 1, ("a", "b"): 1, ("a", "c"): 1}
     | {("a", "c", 0): 1, ("d",): 2, ("f",): 3}),
    ("a = [\n{ b = 1 },\n{ b = 2 }]", {("a",): 1, ("a", 0): 2, ("a", 0, "b"): 2, ("a", 1): 3, ("a", 1, "b"): 3}),
    ("a = 1\r\nb = 2\r\n", {("a",): 1, ("b",): 2}),
    ("a = [{}, [], '', \"\"]\n\"\" = 1", {("a",): 1, ("a", 0): 1, ("a", 1): 1, ("a", 2): 1, ("a", 3): 1, ("",): 2}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "lines"), TABLES)
def test_each_key_stands_on_its_line(text: str, lines: dict[KeyPath, int]) -> None:
    tomllib.loads(text)  # the example itself is valid
    assert key_lines(text) == lines


def test_a_path_without_a_line_has_the_line_of_what_holds_it() -> None:
    lines = key_lines("a = 1\n[f]\n\nb = 2")
    assert nearest_line(lines, ("f", "b", 3, "x")) == 4
    assert nearest_line(lines, ("f", "missing")) == 2
    assert nearest_line(lines, ("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = [1,\n2,\n\n", 2),
        ('a = 1\nb = """\nnever closed\n', 2),
        ("a = 1\nb = 2\nb = 3", 3),
        ("", 1),
        ("= 1", 1),
    ],
)
def test_a_broken_text_tells_where_its_last_key_stands(text: str, line: int) -> None:
    assert last_key_line(text) == line


# Documents put together from pieces that look like TOML inside of TOML. Each leaf's value is unique and stands on the
# line of its key, so the text itself says where each key is.
_TRAPS = ["# k = 1", "", "  ", "# [[t]]", '# """', "# '''"]
_VALUES = ["{n}", "'v{n} # = ['", '"v{n} \\" ] }}"', '"""v{n}\n[t]\nk = 1 \\""" \\\\"""', "'''v{n}\n# '' ]\n[[t]]'''"]
_HOLDERS = ["{v}", "[ {v} ]", "[ # x\n {v},\n ]", "{{ i = {v} }}", "{{ i.j = [{v}] }}"]
_KEYS = ["k{n}", "'k{n}.x'", '"k{n} ="', "k{n} . d", "k{n}.'[d]'"]
_HEADERS = ["[t{n}]", "[t{n}.s]", '[ "t{n}]" ]', "[[list]]", "[[list]] # [x]", "[list.sub{n}]", "[[list.more]]"]


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Valid TOML with every kind of key, header, value and trap."""
    pieces: list[str] = ["[[list]]"]
    for n in range(draw(st.integers(1, 12))):
        value = draw(st.sampled_from(_VALUES)).format(n=1000 + n)
        pair = draw(st.sampled_from(_KEYS)).format(n=n) + " = " + draw(st.sampled_from(_HOLDERS)).format(v=value)
        header = draw(st.sampled_from(_HEADERS)).format(n=n)
        pieces += [draw(st.sampled_from(_TRAPS)), draw(st.sampled_from([pair, header, pair + "\n" + header]))]
    return draw(st.sampled_from(["\n", "\r\n"])).join(pieces)


def _paths(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in items:
        yield (*path, step), child
        yield from _paths(child, (*path, step))


@given(documents())
def test_exactly_the_keys_that_tomllib_finds_have_lines(text: str) -> None:
    assert key_lines(text).keys() == {path for path, _ in _paths(tomllib.loads(text))}


@given(documents())
def test_every_value_stands_on_the_line_of_its_path(text: str) -> None:
    lines, source = key_lines(text), text.split("\n")
    for path, value in _paths(tomllib.loads(text)):
        if isinstance(value, str | int):
            assert str(value).split("\n")[0].split(' "')[0] in source[lines[path] - 1]
