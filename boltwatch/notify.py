"""sd_notify(3): tells systemd how the daemon is. Without NOTIFY_SOCKET in the environment nothing is sent."""

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Speaks to the service manager, if there is one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog_us = int(environ.get("WATCHDOG_USEC", "0")) if mine else 0

    @property
    def watchdog_s(self) -> float | None:
        """How often the manager wants to hear WATCHDOG=1: half of its patience; None when it does not listen."""
        return self._watchdog_us / 2_000_000 if self._watchdog_us else None

    def say(self, *states: str) -> None:
        """Send assignments such as `READY=1` or `STATUS=…` in one datagram."""
        if not self._address:
            return
        # A leading @ means the abstract namespace (sd_notify(3)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.sendto("\n".join(states).encode(), address)
