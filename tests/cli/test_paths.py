"""Files of a command: inputs are never replaced, outputs never share a path, and nothing is waited for."""

import os
import zipfile

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.cli.main import main


@pytest.fixture
def table(tmp_path):
    x = np.linspace(0.0, 1.0, 12)
    path = tmp_path / "data.csv"
    np.savetxt(path, np.column_stack([x, np.abs(x - 0.4)]), delimiter=",", header="x,y", comments="")
    return path


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.npz"
    rs.RidgeSpline([[1.0]], [0.4], [2.0], [-1.0], 0.4, ("x",)).save(path)
    return path


@pytest.fixture
def refused(monkeypatch, capsys):
    """Run a command that is to be refused before any work; the error in words."""
    for verb in ("solve", "solve_path", "evaluate"):
        monkeypatch.setattr(rs, verb, lambda *args, **kwargs: pytest.fail("the work came first"))
    monkeypatch.setattr(rs.theorems, "verify", lambda *args, **kwargs: pytest.fail("the work came first"))

    def run(*words):
        assert main([str(word) for word in words]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        return error

    return run


def names(kind, path, tmp_path):
    """Another way to name a file that is there."""
    other = tmp_path / f"{kind} of {path.name}"
    if kind == "itself":
        return path
    if kind == "detour":
        (tmp_path / "folder").mkdir(exist_ok=True)
        return tmp_path / "folder" / ".." / path.name
    if kind == "symlink":
        other.symlink_to(path)
    if kind == "hard link":
        os.link(path, other)
    return other


KINDS = ["itself", "detour", "symlink", "hard link"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_is_never_replaced(kind, table, tmp_path, refused):
    before = table.read_bytes()
    picture = tmp_path / "table.png"  # a table may have any name, a picture may not
    table.rename(picture)
    same = names(kind, picture, tmp_path)
    data = (picture, "--target", "y")
    for words in (
        ("fit", *data, "--lam", 1, "--out", same),
        ("fit", *data, "--lam", 1, "--plot", same),
        ("path", *data, "--plot", same),
    ):
        assert "would replace" in refused(*words)
    report = tmp_path / "table.html"
    picture.rename(report)
    (tmp_path / f"{kind} of table.png").unlink(missing_ok=True)
    words = ("verify", "--data", report, "--target", "y", "--report", names(kind, report, tmp_path))
    assert "would replace" in refused(*words)
    assert report.read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_never_replaces_the_network(kind, table, net, tmp_path, refused):
    report = tmp_path / "net.html"
    net.rename(report)
    words = ("verify", "--data", table, "--network", report, "--report", names(kind, report, tmp_path))
    assert "would replace" in refused(*words)


@pytest.mark.parametrize("kind", [*KINDS, "not there yet", "a link to nothing"])
def test_two_outputs_never_share_a_file(kind, table, tmp_path, refused):
    out = tmp_path / "out.png"
    if kind == "a link to nothing":
        plot = tmp_path / "link.png"
        plot.symlink_to(out)
    elif kind == "not there yet":
        plot = tmp_path / "." / "out.png"
    else:
        out.write_bytes(b"old")
        plot = names(kind, out, tmp_path)
    words = ("fit", table, "--target", "y", "--lam", 1, "--out", out, "--plot", plot)
    assert "would replace" in refused(*words)
    assert out.exists() == (kind in KINDS)
    assert not plot.is_symlink() or os.readlink(plot) == str(out)


def test_a_link_to_nothing_is_written_through(table, tmp_path):
    target, link = tmp_path / "target.npz", tmp_path / "link.npz"
    link.symlink_to(target)
    assert main(["fit", str(table), "--target", "y", "--lam=-1", "--out", str(link)]) == 2
    assert link.is_symlink()
    assert not target.exists()
    assert main(["fit", str(table), "--target", "y", "--lam", "1", "--out", str(link)]) == 0
    assert rs.RidgeSpline.load(target).n_features == 1


def test_links_in_a_circle(table, tmp_path, refused):
    link = tmp_path / "circle.png"
    link.symlink_to(link)
    assert "circle.png" in refused("fit", table, "--target", "y", "--lam", 1, "--plot", link)
    assert "circle.png" in refused("fit", link, "--target", "y", "--lam", 1)


def test_the_folder_of_a_reports_pictures(tmp_path, refused):
    (tmp_path / "report").write_text("a file")
    assert "a file of that name" in refused("verify", "--report", tmp_path / "report.md")


def others(tmp_path, ending):
    pipe, folder = tmp_path / f"pipe{ending}", tmp_path / f"folder{ending}"
    os.mkfifo(pipe)
    folder.mkdir()
    return {pipe: "a named pipe", folder: "a folder", os.devnull: "a device"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_refused_at_once(table, net, tmp_path, refused):
    data = ("--target", "y")
    for path, kind in others(tmp_path, ".png").items():
        for words in (
            ("fit", path, *data, "--lam", 1),
            ("fit", table, *data, "--lam", 1, "--out", path),
            ("fit", table, *data, "--lam", 1, "--plot", path),
            ("path", path, *data),
            ("path", table, *data, "--plot", path),
            ("gap", path, table, *data, "--lam", 1),
            ("gap", net, path, *data, "--lam", 1),
            ("verify", "--data", path),
            ("verify", "--data", table, "--network", path),
        ):
            assert kind in refused(*words)
    for ending, words in ((".pt", ("gap",)), (".html", ("verify", "--report"))):
        for path, kind in others(tmp_path, ending).items():
            rest = (table, *data, "--lam", 1) if ending == ".pt" else ()
            assert kind in refused(*words, path, *rest)


def test_damaged_networks(table, net, tmp_path, refused):
    """Every kind of damage is tried where networks are read; here, that what is said there is said to the user."""
    data, rng = net.read_bytes(), np.random.default_rng(0)
    for length in rng.integers(0, len(data), 20):
        net.write_bytes(data[:length])
        assert "RidgeSpline.save" in refused("gap", net, table, "--target", "y", "--lam", 1)
    with zipfile.ZipFile(net, "w") as archive:
        archive.writestr("weights.npy", bytes(10))
    assert "RidgeSpline.save" in refused("verify", "--data", table, "--network", net)


def test_an_order_that_nothing_can_compute(table, refused):
    words = ("fit", table, "--target", "y", "--lam", 1, "--activation", "truncated_power", "--order", 10**9)
    assert "at most 170" in refused(*words)
