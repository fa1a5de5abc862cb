"""What the benchmarks print alike: versions and machine, times, tables in Markdown."""

from __future__ import annotations

import datetime
import os
import platform
import resource
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version

import ridgesplines as rs


def environment(packages: Iterable[str]) -> dict[str, str]:
    """Date, versions, processor, cores, threads."""
    found = {"date": datetime.date.today().isoformat(), "ridgesplines": rs.__version__}
    found["python"] = platform.python_version()
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    found["machine"] = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    found["threads"] = f"OMP_NUM_THREADS = {os.environ.get('OMP_NUM_THREADS', 'unset')}"
    return found


def about(packages: Iterable[str]) -> list[str]:
    """The environment as lines of a list."""
    return [f"- {name}: {what}" for name, what in environment(packages).items()]


def seconds(value: float | None) -> str:
    """A time in three digits."""
    if value is None:
        return ""
    return f"{1e3 * value:.3g} ms" if value < 1.0 else f"{value:.3g} s"


def peak_memory() -> float:
    """The peak memory of this process so far, MiB."""
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def line(cells: Sequence[str]) -> str:
    """One line of a table in Markdown."""
    return "| " + " | ".join(cells) + " |"


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    return [line(head), "|" + "---|" * len(head), *map(line, body)]
