"""The door of the archive: opens the one SQLite file, and gives it a thread of its own.

The event loop never waits for SQLite: it hands functions of the archive's rooms to a `StoreThread`. Writes that wait
at the same time share one transaction (group commit), each behind a savepoint of its own, so that 1,000 polls cost a
few syncs to disk instead of 1,000, and one that fails takes no other with it.
"""

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlite_utils import Database

from boltwatch.archive.schema import migrations
from boltwatch.errors import ArchiveError

P = ParamSpec("P")
T = TypeVar("T")

_GROUP = 200  # writes in one transaction; bounds how long a reader's snapshot and the WAL grow


def open_database(path: Path) -> Database:
    """Open the database, made or brought up to the present schema where needed.

    Raises ArchiveError when the file is no database, is newer than this program, or cannot be written.
    """
    try:
        connection = sqlite3.connect(path, timeout=5.0, check_same_thread=False, isolation_level="DEFERRED")
        db = Database(connection)
        for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "busy_timeout = 5000"):
            connection.execute(f"pragma {pragma}")
        _refuse_newer(db, path)
        migrations.apply(db)
    except sqlite3.Error as error:
        raise ArchiveError(f"{path}: the database cannot be used ({error}); {_advice(error)}") from error
    return db


def _refuse_newer(db: Database, path: Path) -> None:
    known = {step.name for step in migrations._migrations}
    newer = [step.name for step in migrations.applied(db) if step.name not in known]
    if newer:
        raise ArchiveError(
            f"{path}: made by a newer Boltwatch (it has {', '.join(newer)}); install that version or restore a backup"
        )


def _advice(error: sqlite3.Error) -> str:
    text = str(error)
    if "unable to open" in text:
        return "does its folder exist, and may this user write there?"
    if "readonly" in text or "read-only" in text:
        return "this user needs write permission on the file and its folder"
    if "not a database" in text or "malformed" in text:
        return "restore a backup, or name another file under `database`"
    return "is another program holding it, or the disk full?"


class DaemonLock:
    """Holds the right to be the one daemon on a database, until closed or the process ends (flock on PATH.lock)."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ArchiveError(
                f"{self._path}: cannot be written ({error.strerror}); may this user write there?"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(self._file, 32).decode("ascii", "replace").strip()
            os.close(self._file)
            raise ArchiveError(
                f"{database}: another Boltwatch daemon works on this database (process {owner or 'unknown'}); "
                "stop it first, or name another file under `database`"
            ) from error
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode("ascii"))

    def close(self) -> None:
        """Give the right back."""
        os.close(self._file)


class StoreThread:
    """One thread, one connection: runs functions of the archive's rooms, whose first argument is the database."""

    def __init__(self, path: Path) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._db = open_database(path)
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    async def write(self, fn: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a writing function; returns once its transaction is committed."""
        return cast(T, await self._submit(lambda db: fn(db, *args, **kwargs), writes=True))

    async def read(self, fn: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that only reads."""
        return cast(T, await self._submit(lambda db: fn(db, *args, **kwargs), writes=False))

    def close(self) -> None:
        """Finish what waits, then close the connection."""
        self._jobs.put(None)
        self._thread.join()

    async def _submit(self, call: Callable[[Database], object], *, writes: bool) -> object:
        loop = asyncio.get_running_loop()
        job = _Job(call, writes, loop, loop.create_future())
        self._jobs.put(job)
        return await job.future

    def _work(self) -> None:
        waiting: _Job | None = None
        while True:
            job = waiting or self._jobs.get()
            waiting = None
            if job is None:
                break
            if job.writes:
                group, waiting, stop = self._group(job)
                self._commit(group)
                if stop:
                    break
            else:
                job.run(self._db)
                job.answer()
        self._db.close()

    def _group(self, first: "_Job") -> tuple[list["_Job"], "_Job | None", bool]:
        group = [first]
        while len(group) < _GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, None, True
            if not job.writes:
                return group, job, False
            group.append(job)
        return group, None, False

    def _commit(self, group: list["_Job"]) -> None:
        try:
            self._db.execute("begin immediate")
            for job in group:
                job.run(self._db)
            self._db.execute("commit")
        except sqlite3.Error as error:
            if self._db.conn.in_transaction:
                self._db.execute("rollback")
            for job in group:
                job.error = error
        for job in group:
            job.answer()


class _Job:
    """A call on its way to the store's thread and back."""

    __slots__ = ("call", "error", "future", "loop", "result", "writes")

    def __init__(
        self,
        call: Callable[[Database], object],
        writes: bool,
        loop: asyncio.AbstractEventLoop,
        future: "asyncio.Future[Any]",
    ) -> None:
        self.call, self.writes, self.loop, self.future = call, writes, loop, future
        self.result: object = None
        self.error: BaseException | None = None

    def run(self, db: Database) -> None:
        try:
            if self.writes:
                with db.atomic():
                    self.result = self.call(db)
            else:
                self.result = self.call(db)
        except Exception as error:
            self.error = error

    def answer(self) -> None:
        try:
            self.loop.call_soon_threadsafe(self._settle)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more, and the transaction stands on its own

    def _settle(self) -> None:
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)
