"""Bodies are inflated here, piece by piece and under a cap: httpx would inflate a bomb whole. Pure."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import brotli
import zstandard

from boltwatch.errors import FetchError

_PIECE = 1 << 18
_STEP = 1 << 14
_ZSTD_STEP = 128
_MEMBERS = 1000  # opening one costs more than the few bytes that ask for it
_LAYERS = 3  # each is a pass over as much as the cap; a header has room for thousands
_ZSTD_FRAMES = (b"\x28\xb5\x2f\xfd", *(bytes([low, 0x2A, 0x4D, 0x18]) for low in range(0x50, 0x60)))


def inflate(body: bytes, codings: Sequence[str], *, cap: int) -> bytes:
    """The body with its content codings undone, last applied first (RFC 9110 section 8.4).

    A body that says gzip and is plain is passed through: servers do that. Raises FetchError for a broken or
    unknown coding, or when more than `cap` bytes come out.
    """
    if len(codings) > _LAYERS:
        raise FetchError(f"the body is coded {len(codings)} times over")
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
        size = at = 0
        for _ in range(_MEMBERS):
            stream = zlib.decompressobj(bits)
            pending = b""
            while not stream.eof:
                pending = pending or body[at : (at := at + _STEP)]
                piece = stream.decompress(pending, _PIECE)
                # All of the input may be taken while output is still to come: only both at their end are the end.
                if not piece and not pending and not stream.eof:
                    raise zlib.error("it ends too early")
                pending = stream.unconsumed_tail
                size += len(piece)
                if size > cap:
                    raise _too_large(cap)
                out.append(piece)
            at = min(at, len(body)) - len(stream.unused_data)
            # Members may follow one another (RFC 1952 section 2.2); anything else after the last is ignored.
            if not body.startswith(b"\x1f\x8b", at):
                return b"".join(out)
        raise zlib.error("it is made of too many members")

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
    size = at = 0
    for _ in range(_MEMBERS):
        # The window a frame may demand is bounded as well: it is memory taken before the first byte comes out.
        stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        while not stream.eof:
            if at >= len(body):
                raise zstandard.ZstdError("it ends too early")
            # It has no max_length; a block of 4 bytes gives at most 128 KB (RFC 8878 section 3.1.1.2), a step 4 MB.
            piece = stream.decompress(body[at : at + _ZSTD_STEP])
            at += _ZSTD_STEP
            size += len(piece)
            if size > cap:
                raise _too_large(cap)
            out.append(piece)
        at = min(at, len(body)) - len(stream.unused_data)
        if not body.startswith(_ZSTD_FRAMES, at):
            return b"".join(out)
    raise zstandard.ZstdError("it is made of too many frames")


_OPENERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _zlib(16 + zlib.MAX_WBITS),
    "x-gzip": _zlib(16 + zlib.MAX_WBITS),
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
