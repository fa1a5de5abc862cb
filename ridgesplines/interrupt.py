"""Ctrl-C: asked once, the work ends where nothing is half done; asked twice, it ends at once.

Python delivers a signal between any two steps. Inside an import that leaves half a module, inside a call from compiled
code it becomes another error, and between two steps of a solver what has been reached is lost. So the first Ctrl-C only
sets a flag, which the loops of solvers and searches look at. Where a fit is all there is to do, the best so far is
returned; where several finished fits are needed, KeyboardInterrupt is raised.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType


class AtOnce(BaseException):
    """The second Ctrl-C, which nothing on its way catches; the user sees a KeyboardInterrupt."""


class Deferral:
    """A guard within which the first Ctrl-C only asks.

    Of several, one within the other, the outermost has the say: whether the work answers with the best so far, or is
    needed as a whole, so that KeyboardInterrupt is raised. In other threads than the main one, and where somebody else
    handles the signal, it does nothing.

    Parameters
    ----------
    answers : whether the best so far is an answer.
    """

    current: Deferral | None = None

    def __init__(self, answers: bool = False) -> None:
        self.answers, self.installed = answers, False
        self.asked = self.twice = self.listening = False

    def __enter__(self) -> Deferral:
        main = threading.current_thread() is threading.main_thread()
        if main and Deferral.current is None and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self.installed, Deferral.current = True, self
            signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self.installed:
            return
        signal.signal(signal.SIGINT, signal.default_int_handler)
        Deferral.current, self.installed = None, False
        if self.twice or (self.asked and not self.answers):
            raise KeyboardInterrupt from None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self.twice = True
            raise AtOnce
        self.asked = True


def asked() -> bool:
    """Whether the work is to end."""
    return Deferral.current is not None and Deferral.current.asked


def late(end: float) -> bool:
    """Whether the work is to end, or `end` has come, a reading of ``time.perf_counter``."""
    return asked() or time.perf_counter() > end


def require_time(end: float) -> None:
    """Raise TimeoutError where the work is to end, as `late` says: between parts of what is no answer by itself."""
    if late(end):
        raise TimeoutError


class _Limit(threading.local):
    """When the work of this thread is to end, a reading of ``time.perf_counter``, and whether it is `stoppable` now."""

    end, stoppable = float("inf"), False


_limit = _Limit()


@contextmanager
def until(end: float) -> Iterator[None]:
    """The work that is to end at `end` as if Ctrl-C had come then, where it is `stoppable`; or earlier, if it is."""
    before = _limit.end
    _limit.end = min(before, end)
    try:
        yield
    finally:
        _limit.end = before


def overdue() -> bool:
    """Whether the time of `until` is over."""
    return time.perf_counter() > _limit.end


def seconds_left() -> float:
    """The seconds that the work may still take, at least a hundredth; infinite without a limit."""
    return max(_limit.end - time.perf_counter(), 0.01)


@contextmanager
def stoppable() -> Iterator[None]:
    """The part of a work whose caller has something to return: `check` ends it."""
    current, before = Deferral.current, _limit.stoppable
    _limit.stoppable = True
    listens = current is not None and not current.listening
    if current is not None:
        current.listening = True
    try:
        yield
    finally:
        _limit.stoppable = before
        if current is not None and listens:
            current.listening = False


def check() -> None:
    """Raise KeyboardInterrupt where the work is to end: within what is `stoppable`, or where no answer is wanted."""
    if _limit.stoppable and _limit.end < float("inf") and overdue():
        raise KeyboardInterrupt
    current = Deferral.current
    if current is not None and current.asked and (current.listening or not current.answers):
        raise KeyboardInterrupt
