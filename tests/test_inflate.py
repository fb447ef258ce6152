"""Bodies are inflated whole or not at all, and never past the cap."""

import gzip
import os
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.errors import FetchError
from boltwatch.feeds.inflate import inflate


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
]
CAP = 1 << 20
NOISE = os.urandom(30_000)


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
@given(body=st.binary(min_size=1, max_size=200) | st.builds(bytes, st.integers((1 << 18) - 300, (1 << 18) + 300)))
def test_what_was_packed_comes_out(coding: str, pack: Callable[[bytes], bytes], body: bytes) -> None:
    assert inflate(pack(body), [coding], cap=CAP) == body


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_body_that_was_cut_is_broken(coding: str, pack: Callable[[bytes], bytes], share: float) -> None:
    packed = pack(NOISE)
    with pytest.raises(FetchError, match="broken"):
        inflate(packed[: int(len(packed) * share)], [coding], cap=CAP)


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
def test_the_cap_is_exact(coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(inflate(pack(bytes(CAP)), [coding], cap=CAP)) == CAP
    with pytest.raises(FetchError, match="inflates to more than 1 MB"):
        inflate(pack(bytes(CAP + 1)), [coding], cap=CAP)


@pytest.mark.parametrize(("coding", "pack"), [PACKERS[0], PACKERS[4]])
def test_members_may_follow_one_another_but_not_without_end(coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert inflate(pack(b"a") * 3 + b"rest", [coding], cap=CAP) == b"aaa"
    with pytest.raises(FetchError, match="too many"):
        inflate(pack(b"a") * 50_000, [coding], cap=CAP)


def test_a_frame_that_zstd_readers_skip_is_skipped() -> None:
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    assert inflate(skipped + zstandard.compress(b"a") + skipped, ["zstd"], cap=CAP) == b"a"


def test_codings_in_great_number_are_refused() -> None:
    with pytest.raises(FetchError, match="4 times over"):
        inflate(b"plain", ["gzip"] * 4, cap=CAP)
