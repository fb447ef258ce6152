"""Bodies are inflated here, piece by piece and under a cap: httpx would inflate a bomb whole. Pure."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import brotli
import zstandard

from boltwatch.errors import FetchError

_PIECE = 1 << 18


def inflate(body: bytes, codings: Sequence[str], *, cap: int) -> bytes:
    """The body with its content codings undone, last applied first (RFC 9110 section 8.4).

    A body that says gzip and is plain is passed through: servers do that. Raises FetchError for a broken or
    unknown coding, or when more than `cap` bytes come out.
    """
    for coding in reversed(codings):
        if coding in ("", "identity"):
            continue
        opener = _OPENERS.get(coding)
        if opener is None:
            raise FetchError(f"the body is coded as {coding[:40]!r}, which was not offered")
        if coding in ("gzip", "x-gzip") and not body.startswith(b"\x1f\x8b"):
            continue
        try:
            body = opener(body, cap)
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise FetchError(f"the {coding} body is broken ({error})") from error
    return body


def _too_large(cap: int) -> FetchError:
    return FetchError(f"the body inflates to more than {cap >> 20} MB; network.max_body_mb sets the limit")


def _zlib(bits: int) -> Callable[[bytes, int], bytes]:
    def opened(body: bytes, cap: int) -> bytes:
        out: list[bytes] = []
        size = 0
        while body:
            stream = zlib.decompressobj(bits)
            pending = body
            while pending and not stream.eof:
                piece = stream.decompress(pending, _PIECE)
                pending = stream.unconsumed_tail
                size += len(piece)
                if size > cap:
                    raise _too_large(cap)
                out.append(piece)
            if not stream.eof:
                raise zlib.error("it ends too early")
            # Members may follow one another (RFC 1952 section 2.2); anything else after the last is ignored.
            body = stream.unused_data if stream.unused_data.startswith(b"\x1f\x8b") else b""
        return b"".join(out)

    return opened


def _deflate(body: bytes, cap: int) -> bytes:
    try:
        return _zlib(zlib.MAX_WBITS)(body, cap)
    except zlib.error:  # some servers send it without the zlib header
        return _zlib(-zlib.MAX_WBITS)(body, cap)


def _brotli(body: bytes, cap: int) -> bytes:
    stream: Any = brotli.Decompressor()
    out: list[bytes] = []
    size = 0
    pending = body
    while not stream.is_finished():
        piece = stream.process(pending, output_buffer_limit=_PIECE)
        if not pending and not piece:  # nothing more goes in, and nothing more comes out
            raise brotli.error("it ends too early")
        pending = b""
        size += len(piece)
        if size > cap:
            raise _too_large(cap)
        out.append(piece)
    return b"".join(out)


def _zstd(body: bytes, cap: int) -> bytes:
    out: list[bytes] = []
    size = 0
    # The window a frame may demand is bounded as well: it is memory taken before the first byte comes out.
    with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body, read_across_frames=True) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > cap:
                raise _too_large(cap)
            out.append(piece)
    return b"".join(out)


_OPENERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _zlib(16 + zlib.MAX_WBITS),
    "x-gzip": _zlib(16 + zlib.MAX_WBITS),
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
