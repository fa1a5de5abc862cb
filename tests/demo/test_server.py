"""The demo's server: hostile requests are refused and it goes on serving; what it answers is what the library says."""

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs
from ridgesplines.demo import schema, server
from ridgesplines.demo.datasets import DATASETS

POINTS = [[0.0, 0.1], [0.2, 0.0], [0.5, 0.9], [0.7, 1.0], [1.0, 0.2], [1.3, 0.4]]
GOOD = {"session": "a", "number": 1, "points": POINTS, "lam": 0.05, "loss": "squared", "sparsest": True}
STATIC = files("ridgesplines.demo").joinpath("static")


def good(**changes):
    return json.dumps({**GOOD, **changes})


BODIES = {
    "no JSON": ("{", 400),
    "no UTF-8": (b"\xff\xfe{}", 400),
    "no object": ("[1]", 400),
    "nested too deeply": ("[" * 60_000, 400),
    "NaN": (good().replace("0.9", "NaN"), 400),
    "infinity": (good().replace("0.9", "-Infinity"), 400),
    "beyond floats": (good().replace("0.9", "1e999"), 400),
    "a whole number beyond floats": (good().replace("0.9", "9" * 400), 400),
    "a text for a number": (good(lam="0.1"), 400),
    "true for a number": (good(lam=True), 400),
    "lam of zero": (good(lam=0.0), 400),
    "negative lam": (good(lam=-1.0), 400),
    "points that are none": (good(points="0,1"), 400),
    "no points": (good(points=[]), 400),
    "a point too short": (good(points=[[0.0]]), 400),
    "a point of texts": (good(points=[["0", "1"]]), 400),
    "a point of lists": (good(points=[[[0.0], [1.0]]]), 400),
    "too many points": (good(points=[[float(i), 0.0] for i in range(501)]), 400),
    "an unknown loss": (good(loss="__import__('os').getcwd()"), 400),
    "a loss that is a list": (good(loss=["squared"]), 400),
    "sparsest as a number": (good(sparsest=1), 400),
    "an unknown field": (good(path="/etc/passwd"), 400),
    "no session": (good(session=None), 400),
    "a long session": (good(session="x" * 65), 400),
    "labels that are none": (good(loss="logistic"), 422),
    "classes that are separable": (good(points=[[0.0, -1.0], [1.0, 1.0], [2.0, 1.0]], loss="logistic"), 422),
    "too long": (good() + " " * schema.MOST_BYTES, 413),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_refused(client, name):
    body, expected = BODIES[name]
    status, headers, content = client.send("POST", "/api/line", body)
    assert status == expected
    assert headers["Content-Type"] == "application/json"
    assert len(json.loads(content)["error"]) > 10
    assert client.ask("/api/line", **GOOD)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "/", {"Origin": "http://example.com"}, 403),
        ("POST", "/api/line", {"Origin": "http://example.com"}, 403),
        ("POST", "/api/line", {"Origin": "null"}, 403),
        ("POST", "/api/line", {"Origin": "http://127.0.0.1"}, 403),  # another port is another site
        ("POST", "/api/line", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", "/api/line", {"Sec-Fetch-Site": "same-site"}, 403),
        ("POST", "/api/line", {"Content-Type": "text/plain"}, 415),
        ("POST", "/api/line", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/api/line", {"Content-Length": "-1"}, 411),
        ("POST", "/api/line", {"Content-Length": "1e3"}, 411),
        ("POST", "/api/line", {"Content-Length": "9" * 30}, 413),
        ("POST", "/api/line", {"Transfer-Encoding": "chunked"}, 411),
        ("POST", "/api/nothing", {}, 404),
        ("GET", "/api/line", {}, 404),
        ("GET", "/../server.py", {}, 404),
        ("GET", "/static/../../server.py", {}, 404),
        ("GET", "/%2e%2e/server.py", {}, 404),
        ("GET", "//etc/passwd", {}, 404),
        ("GET", "/..%5cserver.py", {}, 404),
        ("GET", "http://example.com/", {}, 403),
        ("GET", "//[", {}, 404),
        ("GET", "/api/data/..%2f..%2fserver.py", {}, 404),
        ("GET", "/api/data/__class__", {}, 404),
        ("PUT", "/", {}, 405),
        ("DELETE", "/index.html", {}, 405),
    ],
)
def test_requests_that_are_refused(client, method, path, headers, expected):
    body = good() if method == "POST" else None
    status, sent, content = client.send(method, path, body, headers)
    assert status == expected
    assert json.loads(content)["error"]
    assert "Content-Security-Policy" in sent
    assert client.ask("/api/line", **GOOD)[0] == 200


@pytest.mark.parametrize("host", [None, "example.com", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.example.com"])
def test_other_hosts_are_refused(client, host):
    """What a name that another site lets point to this machine would send."""
    headers = {} if host is None else {"Host": host}
    assert client.send("GET", "/", None, headers, own_host=False)[0] == 403
    assert client.send("GET", "/", None, {"Host": f"localhost:{client.port}"}, own_host=False)[0] == 200


def test_what_is_no_http(client):
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.sendall(b"\x16\x03\x01\x00garbage\r\n\r\n")
        assert b" 400 " in connection.recv(4096)
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.sendall(b"POST /api/line HTTP/1.1\r\n")  # a client that leaves in the middle
    assert client.ask("/api/line", **GOOD)[0] == 200


def test_only_this_machine_and_only_its_own_page(demo, client):
    assert demo.server_address[0] == "127.0.0.1"
    status, headers, page = client.send("GET", "/")
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert not any(name.startswith("Access-Control") for name in headers)
    assert b"<title>ridgesplines" in page


def test_the_page_names_nothing_outside(demo):
    texts = {path: content.decode() for path, (_, content) in demo.pages.items()}
    assert set(texts) == {"/"} | {f"/{file.name}" for file in STATIC.iterdir()}
    for path, text in texts.items():
        assert set(re.findall(r"https?://[^\"'`) ]+", text)) <= {"http://www.w3.org/2000/svg"}, path
        for name in re.findall(r"from \"\./([^\"]+)\"|(?:href|src)=\"([a-z.]+)\"", text):
            assert f"/{''.join(name)}" in texts, path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.sampled_from([1, 2]), st.sampled_from(["points", "lam", "loss", "parameter", "sparsest", "directions"]), JSON)
def test_any_json_is_read_or_refused(d, field, value):
    body = {"points": [[0.0] * (d + 1)], "lam": 1.0, "loss": "squared"}
    body |= {"sparsest": True} if d == 1 else {"directions": 4}
    try:
        fit = schema.read_fit({**body, field: value}, d)
    except schema.Refused:
        return
    assert np.isfinite(fit.points).all()
    assert fit.lam is None or 0.0 < fit.lam < np.inf


@pytest.mark.parametrize("loss", schema.LOSSES)
@pytest.mark.parametrize("sparsest", [True, False])
def test_a_spline_is_the_librarys(client, loss, sparsest):
    x, y = np.array(client.points("bands" if loss in ("logistic", "hinge") else "hat")).T
    parameter = {"huber": 0.1, "quantile": 0.8}.get(loss)
    body = {**GOOD, "points": np.stack([x, y], axis=1).tolist(), "loss": loss, "parameter": parameter, "lam": 0.2}
    status, answer = client.ask("/api/line", **{**body, "sparsest": sparsest})
    assert status == 200
    problem = rs.Problem(x, y, 0.2, schema.LOSSES[loss](parameter))
    solution = rs.solve(problem, rs.Univariate(sparsest=sparsest))
    assert answer["objective"] == pytest.approx(solution.objective, rel=1e-12)
    assert answer["relative_gap"] < 1e-8
    assert answer["scope"] == "exact"
    assert answer["k"] == len(answer["knots"]) == solution.network.n_neurons < answer["n"]
    assert np.allclose(answer["knots"], np.sort(solution.network.knots), atol=1e-9)
    assert np.allclose(np.interp(x, *np.array(answer["outline"]).T), solution.network(x), atol=1e-9)
    assert np.abs(answer["eta_at_knots"]) == pytest.approx(0.2, rel=1e-6)
    assert np.abs(answer["eta"])[:, 1].max() <= 0.2 * (1.0 + 1e-6)
    assert sum(np.abs(answer["amplitudes"])) == pytest.approx(answer["seminorm"])


@pytest.mark.parametrize("directions", [None, 4, 16])
def test_two_dimensions_are_the_librarys(client, directions):
    points = np.array(client.points("ridges"))
    body = {"session": "p", "number": 1, "points": points.tolist(), "lam": 0.4, "loss": "squared"}
    status, answer = client.ask("/api/plane", **body, directions=directions)
    assert status == 200
    problem = rs.Problem(points[:, :2], points[:, 2], 0.4)
    solution = rs.solve(problem, rs.Grid(directions=directions) if directions else None)
    assert answer["objective"] == pytest.approx(solution.objective, rel=1e-6)
    net = rs.RidgeSpline(answer["weights"], answer["biases"], answer["amplitudes"], answer["slope"], answer["offset"])
    assert rs.evaluate(problem, net).objective == pytest.approx(answer["objective"])
    assert len(answer["angles"]) == (directions or 0)
    largest, sup = np.abs(answer["eta"]).max() / 1e3, solution.certificate.sup / 0.4
    assert 0.95 * sup < largest < sup + 1e-3  # the picture's own grid misses little of the supremum
    assert (sup > 1.05) == (directions is not None)
    assert (answer["relative_gap"] < 1e-6) == (directions is None)


@pytest.mark.parametrize("loss", ["squared", "absolute", "interpolation", "hinge"])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_few_points_are_an_answer(client, loss, rows):
    """Where an affine function is best for every lam: K = 0, or a refusal in words, and never a server error."""
    x = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]][:rows]
    line = [[float(i), 1.0] for i in range(rows)]
    kind = {"lam": None, "loss": loss, "session": "few", "number": 1}
    status, answer = client.ask("/api/line", points=line, sparsest=True, **kind)
    assert (status, answer["k"], answer["lam_max"] or 0.0) == (200, 0, 0.0)
    for directions in (None, 3):
        status, answer = client.ask("/api/plane", points=[[*row, 1.0] for row in x], directions=directions, **kind)
        assert (status, answer["k"]) == (200, 0)


@pytest.mark.parametrize("loss", schema.LOSSES)
def test_the_snippet_reproduces_what_is_shown(client, loss):
    points = client.points("bands" if loss in ("logistic", "hinge") else "waves")
    body = {**GOOD, "points": points, "loss": loss, "parameter": 0.3, "lam": None}
    shown = client.ask("/api/line", **body)[1]
    fit = {name: value for name, value in body.items() if name not in ("session", "number")}
    text = client.ask("/api/snippet/line", **fit)[1]["text"]
    # To rounding: where numba is loaded in this process, sums are in another order than in the server's.
    assert run(text)["solution"].objective == pytest.approx(shown["objective"], rel=1e-12)


@pytest.mark.parametrize("directions", [None, 8])
def test_the_snippet_in_two_dimensions(client, directions):
    fit = {"points": client.points("ring"), "lam": None, "loss": "hinge", "directions": directions}
    shown = client.ask("/api/plane", **fit, session="s", number=1)[1]
    text = client.ask("/api/snippet/plane", **fit)[1]["text"]
    names = run(text)
    assert names["on_grid" if directions else "solution"].objective == pytest.approx(shown["objective"], rel=1e-9)
    assert ("on_grid" in names) == (directions is not None)


def run(text):
    names = {}
    with redirect_stdout(io.StringIO()) as printed:
        exec(text, names)
    assert "gap" in printed.getvalue()
    return names


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_can_be_fitted(client, name):
    data = client.get(f"/api/data/{name}")
    dataset = DATASETS[name]
    assert len(data["axes"]) == dataset.d + 1
    body = {"points": data["points"], "lam": None, "loss": "logistic" if dataset.classes else "squared"}
    kind = {"sparsest": True} if dataset.d == 1 else {"directions": None}
    status, answer = client.ask("/api/line" if dataset.d == 1 else "/api/plane", **body, **kind, session="d", number=1)
    assert status == 200
    assert answer["k"] < answer["n"] == len(data["points"]) <= schema.MOST_POINTS[dataset.d]
    assert answer["relative_gap"] < 1e-6


def test_the_measurements_are_those_of_the_library(client):
    rows = np.column_stack(rs.datasets.load_motorcycle()[:2])
    assert np.array_equal(client.points("motorcycle"), rows)


def test_a_newer_request_makes_an_older_one_obsolete(client):
    assert client.ask("/api/line", **{**GOOD, "session": "turns", "number": 7})[0] == 200
    status, answer = client.ask("/api/line", **{**GOOD, "session": "turns", "number": 6})
    assert (status, "newer" in answer["error"]) == (409, True)
    assert client.ask("/api/line", **{**GOOD, "session": "another", "number": 6})[0] == 200


#: A fit that takes seconds.
SLOW = {
    "points": np.random.default_rng(0).uniform(-1.0, 1.0, (200, 3)).tolist(),
    "lam": 1e-4,
    "loss": "interpolation",
    "directions": None,
    "session": "slow",
}


def test_a_newer_request_ends_an_older_one_that_still_computes(client):
    with ThreadPoolExecutor(1) as another:
        older = another.submit(client.ask, "/api/plane", **SLOW, number=1)
        time.sleep(0.3)
        assert client.ask("/api/plane", **{**SLOW, "loss": "squared", "lam": 10.0, "number": 2})[0] == 200
        assert older.result()[0] == 409


def test_a_fit_that_takes_too_long_is_ended(client, monkeypatch):
    monkeypatch.setattr(server, "FIT_TIME", 0.1)
    status, answer = client.ask("/api/plane", **SLOW, number=3)
    assert (status, "ended after" in answer["error"]) == (422, True)
    monkeypatch.undo()
    assert client.ask("/api/line", **GOOD)[0] == 200


def race(client, **changes):
    """A connection on which a race comes."""
    fit = {name: value for name, value in GOOD.items() if name not in ("session", "number")}
    body = {"fit": fit, "width": 30, "optimizer": "adam", "learning_rate": None, "epochs": 200, "seed": 0, **changes}
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    connection.request("POST", "/api/race", json.dumps(body), {"Content-Type": "application/json"})
    return connection, connection.getresponse()


def frames(response):
    return [json.loads(line) for line in response if line.strip()]


@pytest.mark.parametrize("optimizer", schema.OPTIMIZERS)
def test_no_network_passes_the_optimum(client, optimizer):
    pytest.importorskip("torch")
    connection, response = race(client, optimizer=optimizer, epochs=20 if optimizer == "lbfgs" else 50)
    first, *shown, last = frames(response)
    connection.close()
    x, y = np.array(POINTS).T
    optimum = rs.solve(rs.Problem(x, y, GOOD["lam"]))
    assert first["bound"] == pytest.approx(optimum.certificate.value)
    objectives = np.array([frame["objective"] for frame in shown])
    assert (objectives >= first["bound"]).all()
    assert last["objective"] <= objectives[0]
    assert last["done"] == "trained"
    assert [frame["epoch"] for frame in shown] == sorted({frame["epoch"] for frame in shown})
    assert all(len(frame["norms"]) == 30 for frame in shown)
    assert shown[-1]["imbalance"] < shown[0]["imbalance"]


def test_the_snippet_of_a_race(client):
    pytest.importorskip("torch")
    training = {"width": 20, "optimizer": "adam", "learning_rate": 0.01, "epochs": 5, "seed": 3}
    fit = {name: value for name, value in GOOD.items() if name not in ("session", "number")}
    text = client.ask("/api/snippet/race", fit=fit, **training)[1]["text"]
    connection, response = race(client, **training)
    assert run(text)["trained"].objective == pytest.approx(frames(response)[-1]["objective"], rel=1e-9)
    connection.close()


def test_a_closed_tab_ends_its_race(client):
    pytest.importorskip("torch")
    connection, response = race(client, epochs=20_000)
    assert "bound" in json.loads(response.readline())
    response.close()
    connection.close()
    began = time.monotonic()
    connection, response = race(client, epochs=3)  # there is one at a time: this one waits for the other's end
    assert frames(response)[-1]["done"] == "trained"
    connection.close()
    assert time.monotonic() - began < 30.0


def test_races_are_bounded(client):
    for changes in ({"width": 10_000}, {"epochs": 10**9}, {"optimizer": "os.system"}, {"learning_rate": 0}, {"fit": 3}):
        connection, response = race(client, **changes)
        assert response.status == 400
        assert json.loads(response.read())["error"]
        connection.close()


def test_without_pytorch_the_page_says_how_to_get_it(client, monkeypatch):
    monkeypatch.setattr(server, "find_spec", lambda name: None)
    assert client.get("/api/about")["torch"] is False
    connection, response = race(client)
    assert response.status == 501
    assert "pip install 'ridgesplines[torch]'" in json.loads(response.read())["error"]
    connection.close()


def _heed_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def _killed_at_last(process):
    try:
        yield
    finally:
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal of Ctrl-C, as POSIX systems do")
def test_the_command_serves_until_ctrl_c():
    words = [sys.executable, "-m", "ridgesplines", "demo", "--no-browser", "--port", "0"]
    root = Path(__file__).parents[2]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A shell's background jobs ignore the signal, and what they start inherits that.
    with subprocess.Popen(words, cwd=root, preexec_fn=_heed_ctrl_c, **pipes) as process, _killed_at_last(process):
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline()).group(1))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/api/line", good(), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200
        connection.close()
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "ended" in out


def test_a_port_that_is_taken(demo, capsys):
    from ridgesplines.cli.main import main

    assert main(["demo", "--no-browser", "--port", str(demo.server_port)]) == 2
    assert main(["demo", "--no-browser", "--port", "70000"]) == 2
    assert capsys.readouterr().err.count("port: expected a free port") == 2
