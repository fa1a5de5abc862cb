"""Processes that compute, so that the server can end any work at any time."""

from __future__ import annotations

import multiprocessing
import queue
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import ridgesplines as rs
from ridgesplines.demo.fits import line, plane
from ridgesplines.demo.race import race
from ridgesplines.demo.schema import Fit, Refused
from ridgesplines.demo.snippet import snippet

#: Seconds between two looks at whether somebody still listens, and for which work that is to stop may go on.
LOOK, GRACE = 0.5, 1.0

#: What to do where the time was too short; the first fit of its kind compiles, where numba is installed.
REMEDY = "Take fewer points, or a larger lambda; or once more, where the installation is new and compiles."
#: What can be asked for: task(request, send, stopped).
TASKS: dict[str, Callable[[Any, Callable[[dict[str, Any]], None], Callable[[], bool]], None]] = {
    "line": lambda fit, send, stopped: send(line(fit)),
    "plane": lambda fit, send, stopped: send(plane(fit)),
    "race": race,
    "snippet": lambda shown, send, stopped: send({"text": snippet(shown)}),
}


def work(connection: Connection) -> None:
    """The life of the process: one task after the other, until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    warnings.simplefilter("ignore", rs.ConvergenceWarning)  # the status says it
    line(Fit(((0.0, 0.0), (1.0, 1.0), (2.0, 0.0)), 0.1, rs.Squared()))  # loads what the first fit would wait for
    try:
        connection.send(("ready", None))
        while True:
            message = connection.recv()
            if message is None:
                continue  # a task was to stop that had ended already
            name, request = message
            try:
                TASKS[name](request, lambda found: connection.send(("found", found)), connection.poll)
                connection.send(("end", None))
            except (rs.ProblemError, rs.SolverRefusal, ImportError) as error:
                connection.send(("refused", str(error)))
            except Exception:  # whatever it was, the next task is another one
                traceback.print_exc()
                connection.send(("failed", None))
            if not connection.poll():
                import_module("cvxpy")  # at leisure, what the first fit on a grid would wait for
    except (EOFError, OSError):
        pass


class Worker:
    """A process that computes, started when it is needed."""

    def __init__(self) -> None:
        self.process: Any = None
        self.connection: Connection | None = None
        self.ready = False

    def start(self) -> Connection:
        if self.connection is None or not self.process.is_alive():
            context = multiprocessing.get_context("spawn")
            self.connection, other = context.Pipe()
            self.ready = False
            self.process = context.Process(target=work, args=(other,), daemon=True)
            self.process.start()
            other.close()
        return self.connection

    def run(self, task: str, request: Any, seconds: float) -> Generator[dict[str, Any] | None, None, None]:
        """The messages of the task, and None now and then while it sends nothing. Left early, the task is ended.

        The seconds are those of the task: none passes until the process is ready, which compiles where that is new.
        """
        connection, finished = self.start(), True
        try:
            while not self.ready:
                if connection.poll(LOOK):
                    self.ready = connection.recv()[0] == "ready"
                else:
                    yield None
            finished, end = False, time.monotonic() + seconds
            connection.send((task, request))
            while True:
                if not connection.poll(LOOK):
                    if time.monotonic() > end:
                        raise Refused(422, f"ended after {seconds:g} s. {REMEDY}")
                    yield None
                    continue
                kind, value = connection.recv()
                finished = kind != "found"
                if kind == "refused":
                    raise Refused(422, value)
                if kind == "failed":
                    raise Refused(500, "the computation failed; the terminal in which the demo runs says where")
                if kind == "end":
                    return
                yield value
        except (EOFError, OSError):
            raise Refused(500, "the process that computes has ended; the next request starts another") from None
        finally:
            if not finished:
                self._halt(connection)

    def _halt(self, connection: Connection) -> None:
        """Ask the task to end; where it does not, end the process."""
        end = time.monotonic() + GRACE
        try:
            connection.send(None)
            while connection.poll(max(0.0, end - time.monotonic())):
                if connection.recv()[0] != "found":
                    return
        except (EOFError, OSError):
            pass
        self.kill()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.connection = None


class Workers:
    """A number of workers, each lent to one request at a time."""

    def __init__(self, count: int) -> None:
        self.all = [Worker() for _ in range(count)]
        self.idle: queue.LifoQueue[Worker] = queue.LifoQueue()
        for worker in self.all:
            self.idle.put(worker)

    def start(self) -> None:
        """Start all workers before they are needed."""
        for worker in self.all:
            worker.start()

    @contextmanager
    def lend(self, wait: float) -> Iterator[Worker]:
        try:
            worker = self.idle.get(timeout=wait)
        except queue.Empty:
            raise Refused(429, f"busy: {len(self.all)} such computation(s) at a time. Try again in a moment.") from None
        try:
            yield worker
        finally:
            self.idle.put(worker)

    def close(self) -> None:
        for worker in self.all:
            worker.kill()
