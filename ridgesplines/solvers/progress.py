"""What is seen of a work that goes on: the lines that a solver prints, and one bar for a whole job.

Whoever runs a job puts a `Bar` around it; the loops within say where they are, by `stage`, `step` and `near`, and need
not know whether anybody looks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import ClassVar, TypeVar

from ridgesplines.validation import rounded_up
from ridgesplines.verdict import Scope

#: Seconds between two drawings of the bar, and its width in characters.
PAUSE, WIDTH = 0.2, 20


def print_round(
    label: str,
    number: int,
    began: float,
    neurons: int,
    objective: float,
    gap: float | None,
    scope: Scope = Scope.EXACT,
    unit: str = "round",
) -> None:
    """One line a round, to standard error. `began` is a reading of ``time.perf_counter``; `gap` None is not known."""
    meaning = "" if scope is Scope.EXACT else f" ({scope})"
    words = "" if gap is None else f"  relative gap {rounded_up(gap)}{meaning}"
    print(
        f"{label}  {unit} {number:3d}  {time.perf_counter() - began:7.2f} s  K = {neurons:6d}  "
        f"objective {objective:.10g}{words}",
        file=sys.stderr,
        flush=True,
    )


Result = TypeVar("Result")


class Bar:
    """One line on standard error that says how far a job has come; nothing where that is no terminal, or is not wanted.

    Of several, one within the other, the outermost is the one that is seen.

    Parameters
    ----------
    wanted : whether there is to be one.
    stages : how many parts the job has, each of them with steps, one a lam.
    limit : the seconds that the job may take.

    Examples
    --------
    >>> with Bar(True, stages=2):  # quiet here: this is no terminal
    ...     stage("fold 1 of 1")
    ...     step(1, 10, 0.5)
    """

    current: ClassVar[Bar | None] = None

    def __init__(self, wanted: bool, stages: int = 1, limit: float = float("inf")) -> None:
        self.wanted, self.stages, self.limit = wanted, stages, limit
        self.began, self.drawn = time.perf_counter(), 0.0
        self.number, self.share, self.words, self.at, self.gap = 0, 0.0, "", "", ""

    def __enter__(self) -> Bar:
        if self.wanted and Bar.current is None and sys.stderr.isatty():
            Bar.current = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if Bar.current is self:
            Bar.current = None
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def draw(self) -> None:
        """The line, drawn anew now and then."""
        now = time.perf_counter()
        if now < self.drawn + PAUSE:
            return
        self.drawn = now
        print(f"\r\033[K{self.line(now - self.began)}", end="", file=sys.stderr, flush=True)

    def line(self, passed: float) -> str:
        """How far it is after so many seconds, in words."""
        part = min((max(self.number - 1, 0) + self.share) / self.stages, 1.0)
        left = min(passed * (1.0 / part - 1.0) if part > 0.0 else float("inf"), max(self.limit - passed, 0.0))
        full = round(WIDTH * part)
        known = f"about {left:.0f} s left" if left < float("inf") else f"{passed:.0f} s"
        words = [f"[{'#' * full}{'.' * (WIDTH - full)}]", self.words, self.at, self.gap, known]
        return "  ".join(filter(None, words))


def stage(words: str) -> None:
    """The next part of the job begins."""
    if (bar := Bar.current) is not None:
        bar.number, bar.share, bar.words, bar.at, bar.gap = bar.number + 1, 0.0, words, "", ""
        bar.draw()


def step(number: int, of: int, lam: float) -> None:
    """So many lams of this part are done, and this one is next."""
    if (bar := Bar.current) is not None:
        bar.share, bar.at, bar.gap = number / of, f"lam {min(number + 1, of)} of {of} = {lam:.3g}", ""
        bar.draw()


def near(gap: float) -> None:
    """The relative gap that has been reached for this lam."""
    if (bar := Bar.current) is not None and gap < float("inf"):
        bar.gap = f"gap {rounded_up(gap)}"
        bar.draw()


def counted(results: Iterable[Result], of: int, words: str) -> Iterator[Result]:
    """Results as they come, each of them a part of the job, which other processes may have done; they see no bar."""
    before = 0 if Bar.current is None else Bar.current.number
    for count, result in enumerate(results, 1):
        if (bar := Bar.current) is not None:
            bar.number, bar.share, bar.words, bar.at, bar.gap = before + count, 1.0, f"{count} of {of} {words}", "", ""
            bar.draw()
        yield result
