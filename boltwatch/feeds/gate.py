"""How many may ask a host at a time, and how soon after one another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class _Host:
    """A host that is being asked, or was a moment ago."""

    __slots__ = ("free_at", "slots", "waiting")

    def __init__(self, per_host: int) -> None:
        self.slots = asyncio.Semaphore(per_host)
        self.free_at = 0.0
        self.waiting = 0


class Gate:
    """Lets at most `per_host` requests to a host through at once, with a gap between the starts of two."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, gap: float) -> AsyncIterator[None]:
        """Wait for this host's turn and hold it; `gap` is in seconds."""
        state = self._hosts.setdefault(host, _Host(self._per_host))
        state.waiting += 1
        try:
            async with state.slots:
                now = asyncio.get_running_loop().time()
                start = max(now, state.free_at)
                state.free_at = start + gap
                if start > now:
                    await asyncio.sleep(start - now)
                yield
        finally:
            state.waiting -= 1
            if not state.waiting and len(self._hosts) > 256:
                self._forget()

    def _forget(self) -> None:
        """Hosts that nobody waits for and whose gap is over need not be remembered."""
        now = asyncio.get_running_loop().time()
        idle = [name for name, state in self._hosts.items() if not state.waiting and state.free_at <= now]
        for name in idle:
            del self._hosts[name]
