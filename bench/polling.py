"""What a round over many feeds costs: cold, unchanged, and with one new entry each.

    python -m bench.polling --base http://127.0.0.1:8181 --feeds 1000

wants a feed server on the loopback address that serves BASE/feed/N with validators and makes a new entry in every
feed at BASE/control/tick. Each round is `boltwatch poll --all` as a process of its own. CPU is user and system time of
the whole process tree, the start of the program (a round over no feeds) taken off; memory is the peak of the tree's
resident sets (shared pages counted once for each process). The limit in the same run: httpx alone, fetching the same
feeds and throwing the bodies away.
"""

import argparse
import asyncio
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import httpx

PR_SET_CHILD_SUBREAPER = 36


class Cost(NamedTuple):
    """Of one process tree."""

    cpu: float
    wall: float
    peak_mb: float
    said: str


def measured(command: list[str]) -> Cost:
    """Run a command to its end."""
    before, started = _cpu(), time.perf_counter()
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, text=True
    )
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(child, peak))
    watcher.start()
    said = child.communicate(timeout=600)[0]
    wall = time.perf_counter() - started
    watcher.join()
    _reap()
    return Cost(_cpu() - before, wall, peak[0], said.strip())


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap() -> None:
    """Wait for the workers' server too: an orphan comes to us (prctl), and only who was waited for is counted."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        time.sleep(0.02)


def _watch(child: "subprocess.Popen[str]", peak: list[float]) -> None:
    while child.poll() is None:
        peak[0] = max(peak[0], sum(_resident(pid) for pid in _session(child.pid)))
        time.sleep(0.05)


def _session(sid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == sid:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _resident(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def config(folder: Path, name: str, urls: list[str]) -> list[str]:
    """Write a config over these feeds; the command that polls it."""
    path = folder / f"{name}.toml"
    feeds = "\n".join(f'[[feeds]]\nurl = "{url}"' for url in urls)
    path.write_text(
        f'database = "{name}.db"\n[network]\ncontact = "bench@example.org"\nallow_private = ["127.0.0.0/8"]\n{feeds}\n'
        '[[rules]]\nname = "xai"\nkeywords = ["xAI", "Grok"]\n[[rules]]\nname = "refi"\nmatch = \'Refinanzierung\'\n'
        '[channels.log]\ntype = "log"\n'
    )
    return [sys.executable, "-m", "boltwatch", "--config", str(path), "poll", "--all"]


async def _fetch_only(urls: list[str]) -> None:
    waiting = iter(urls)

    async def work(client: httpx.AsyncClient) -> None:
        for url in waiting:
            await client.get(url)

    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=2), trust_env=False) as client:
        await asyncio.gather(work(client), work(client))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:8181")
    parser.add_argument("--feeds", type=int, default=1000)
    asked = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    urls = [f"{asked.base}/feed/{n}" for n in range(asked.feeds)]
    for url in urls:  # the server renders each feed once before anything is measured
        urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})).read()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = measured(config(folder, "empty", []))
        started = _self_cpu()
        asyncio.run(_fetch_only(urls))
        floor = _self_cpu() - started
        command = config(folder, "bench", urls)
        rounds = {"cold": measured(command), "unchanged": measured(command)}
        urllib.request.urlopen(f"{asked.base}/control/tick").read()
        rounds["one new entry each"] = measured(command)
        print(f"start of the program: {start.cpu:.2f} CPU s; httpx alone, all {asked.feeds} feeds: {floor:.2f} CPU s\n")
        print(f"{'round':20} {'CPU s':>7} {'wall s':>7} {'peak MB':>8} {'x httpx':>8}  summary")
        for title, cost in rounds.items():
            cpu = cost.cpu - start.cpu
            print(f"{title:20} {cpu:7.2f} {cost.wall:7.2f} {cost.peak_mb:8.0f} {cpu / floor:8.1f}  {cost.said}")
        print(f"\ndatabase: {(folder / 'bench.db').stat().st_size / 1e6:.1f} MB")


def _self_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
