"""The reports as one HTML page with its pictures in it, or as Markdown with pictures beside it."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import ridgesplines
from ridgesplines.theorems.report import Report

#: What makes the claims.
PAPER = (
    "R. Parhi, R. D. Nowak, Deep Learning Meets Sparse Regularization: A Signal Processing Perspective, "
    "IEEE Signal Processing Magazine 40 (2023), doi:10.1109/MSP.2023.3286988"
)

STYLE = """
body { font: 16px/1.45 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 0.6rem 0; } td, th { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left;
border-bottom: 1px solid #ddd; vertical-align: top; } td.number { font-variant-numeric: tabular-nums; }
.holds { color: #00704f; } .FAILS { color: #fff; background: #b00020; padding: 0 0.4rem; font-weight: bold; }
.run { color: #777; } img { max-width: 100%; } h2 { margin-top: 2.5rem; font-size: 1.15rem; }
"""


def write(reports: Sequence[Report], path: str | os.PathLike[str], seed: int | None = None) -> None:
    """Write the reports with their pictures.

    Parameters
    ----------
    reports : in the order in which they are shown.
    path : ``.html``: one file that needs no network; ``.md``: pictures go to a folder of the same name beside it.
    seed : that of the instances, which the file names; None for objects of your own.

    Examples
    --------
    >>> import tempfile, ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rs.theorems.write(rs.theorems.verify_on(rs.solve(problem)), f"{folder}/report.html")
    """
    file = Path(path)
    made = provenance(seed)
    text = _markdown(reports, file, made) if file.suffix.lower() == ".md" else _html(reports, made)
    file.write_text(text, encoding="utf-8")


def provenance(seed: int | None = None) -> tuple[str, str]:
    """The paper that makes the claims; and what checked them, on what, when (UTC)."""
    what = "on objects of your own" if seed is None else f"on instances of seed {seed}"
    return PAPER, f"checked by ridgesplines {ridgesplines.__version__}, {what}, {datetime.now(UTC):%Y-%m-%d}"


def summary(reports: Sequence[Report]) -> str:
    """The numbers of claims that hold, fail and were not run, in one line.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> rs.theorems.summary([rs.theorems.representer(problem, rs.solve(problem))])
    '1 of 1 claims hold; 0 s'
    """
    count = {verdict: sum(r.verdict == verdict for r in reports) for verdict in ("holds", "FAILS", "not run")}
    words = f"{count['holds']} of {len(reports)} claims hold"
    words += f", {count['FAILS']} FAIL" if count["FAILS"] else ""
    words += f", {count['not run']} not run" if count["not run"] else ""
    return f"{words}; {sum(r.seconds for r in reports):.0f} s"


def _picture(report: Report) -> bytes:
    buffer = BytesIO()
    report.plot().savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _html(reports: Sequence[Report], made: Sequence[str]) -> str:
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>ridgesplines verify</title>",
        f"<style>{STYLE}</style><h1>Claims of the paper, checked</h1>",
        *(f"<p>{html.escape(line)}</p>" for line in (*made, summary(reports))),
        "<table>",
    ]
    for i, r in enumerate(reports):
        parts.append(
            f"<tr><td><span class='{r.verdict}'>{r.verdict}</span></td><td>{html.escape(r.number)}</td>"
            f"<td><a href='#claim{i}'>{html.escape(r.claim)}</a></td><td class='number'>{r.seconds:.1f} s</td></tr>"
        )
    parts.append("</table>")
    for i, r in enumerate(reports):
        title = f"{html.escape(r.number)} {html.escape(r.claim)}"
        parts.append(f"<h2 id='claim{i}'>{title} <span class='{r.verdict}'>{r.verdict}</span></h2>")
        rows = "".join(
            f"<tr><td>{html.escape(m.what)}</td><td class='number'>{html.escape(m.measured)}</td>"
            f"<td class='number'>{html.escape(m.bound)}</td><td class='{_word(m.holds)}'>{_word(m.holds)}</td></tr>"
            for m in r.measures
        )
        parts.append(f"<table><tr><th>measured</th><th></th><th>bound</th><th></th></tr>{rows}</table>" if rows else "")
        parts += [f"<p>{html.escape(remark)}</p>" for remark in _remarks(r)]
        if not r.missing:
            image = base64.b64encode(_picture(r)).decode()
            parts.append(f"<img alt='{html.escape(r.claim)}' src='data:image/png;base64,{image}'>")
    return "\n".join(parts) + "\n</html>\n"


def _markdown(reports: Sequence[Report], file: Path, made: Sequence[str]) -> str:
    folder = file.with_suffix("")
    folder.mkdir(exist_ok=True)
    parts = ["# Claims of the paper, checked", *(part for line in (*made, summary(reports)) for part in ("", line))]
    for i, r in enumerate(reports):
        parts += ["", f"## {r.number} {r.claim}: {r.verdict}", ""]
        if r.measures:
            parts += ["| measured | | bound | |", "|---|---|---|---|"]
            parts += [f"| {_cell(m.what)} | {m.measured} | {m.bound} | {_word(m.holds)} |" for m in r.measures]
        parts += [line for remark in _remarks(r) for line in ("", remark)]
        if not r.missing:
            (folder / f"claim{i}.png").write_bytes(_picture(r))
            parts += ["", f"![{r.claim}]({folder.name}/claim{i}.png)"]
    return "\n".join(parts) + "\n"


def _remarks(report: Report) -> tuple[str, ...]:
    return (*report.remarks, report.missing) if report.missing else report.remarks


def _word(holds: bool) -> str:
    return "holds" if holds else "FAILS"


def _cell(text: str) -> str:
    """A bar would end a cell."""
    return text.replace("|", "\\|")
