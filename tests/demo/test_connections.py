"""Connections of clients that are slow, many, or strangers, on plain sockets."""

import json
import socket
import threading
import time
from contextlib import ExitStack

import pytest

from ridgesplines.demo import server

POINTS = [[0.0, 0.1], [0.2, 0.0], [0.5, 0.9], [0.7, 1.0]]
BODY = json.dumps({"session": "a", "number": 1, "points": POINTS, "lam": 0.05, "loss": "squared", "sparsest": True})


@pytest.fixture
def connect(client):
    with ExitStack() as opened:
        yield lambda: opened.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=20.0))


def head(client, host=None, length=None, **more):
    length = len(BODY) if length is None else length
    lines = ["POST /api/line HTTP/1.1", f"Host: {host or f'127.0.0.1:{client.port}'}", "Content-Type: application/json"]
    lines += [f"Content-Length: {length}", *(f"{name.replace('_', '-')}: {value}" for name, value in more.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def received(connection):
    """All that comes until the other side closes the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def dripped(connection, data, pause=0.05):
    """Send a byte now and then, as long as somebody takes them; the seconds until nobody does."""
    began = time.monotonic()

    def send():
        try:
            for i in range(len(data)):
                connection.sendall(data[i : i + 1])
                time.sleep(pause)
        except OSError:
            pass

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    answer = received(connection)
    return answer, time.monotonic() - began


def test_a_drip_of_header_or_body_is_not_waited_for(client, connect, monkeypatch):
    monkeypatch.setattr(server, "ARRIVAL", 0.5)
    answer, seconds = dripped(connect(), head(client) + b" " * 1000)
    assert seconds < 5.0
    assert answer == b""
    connection = connect()
    connection.sendall(head(client))
    answer, seconds = dripped(connection, BODY.encode() + b" " * 1000)
    assert seconds < 5.0
    assert b" 408 " in answer.partition(b"\r\n")[0]
    assert b"within 0.5 s" in answer


def test_a_slow_reader_of_refusals_is_not_waited_for(client, connect):
    connection = connect()
    connection.sendall(head(client, host="example.com", length=10**5))
    answer, seconds = dripped(connection, b" " * 10_000)
    assert b" 403 " in answer.partition(b"\r\n")[0]
    assert seconds < 5.0


def test_a_silent_connection_is_closed(connect, monkeypatch):
    monkeypatch.setattr(server, "SILENCE", 0.3)
    began = time.monotonic()
    assert received(connect()) == b""
    assert time.monotonic() - began < 5.0


def test_a_connection_that_rests_between_requests(client, connect, monkeypatch):
    """Silence between requests does not count against the next one."""
    monkeypatch.setattr(server, "ARRIVAL", 0.5)
    connection = connect()
    for _ in range(2):
        connection.sendall(head(client) + BODY.encode())
        answer = b""
        while b'"objective"' not in answer:
            part = connection.recv(65536)
            assert part
            answer += part
        time.sleep(0.7)


def test_too_many_connections_are_refused_in_words(client, connect):
    time.sleep(0.5)  # those of other tests have ended
    held = [connect() for _ in range(server.MOST_CONNECTIONS)]
    time.sleep(0.2)
    for _ in range(3):
        connection = connect()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = received(connection)
        assert b" 503 " in answer.partition(b"\r\n")[0]
        assert "busy" in json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    for connection in held:
        connection.close()
    time.sleep(0.5)
    assert client.send("GET", "/")[0] == 200


def test_many_connections_at_once(client, connect):
    assert server.Demo.request_queue_size >= 128
    connections = [connect() for _ in range(60)]
    for connection in connections:
        connection.sendall(b"GET /api/about HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % client.port)
    assert all(b" 200 " in received(connection).partition(b"\r\n")[0] for connection in connections)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"host": "example.com"}, b" 403 "),
        ({"Origin": "http://example.com"}, b" 403 "),
        ({"Sec_Fetch_Site": "cross-site"}, b" 403 "),
        ({"length": 10**9}, b" 413 "),
        ({"length": "many"}, b" 411 "),
    ],
)
def test_a_stranger_is_not_asked_for_a_body(client, connect, changes, status):
    connection = connect()
    connection.sendall(head(client, **changes, Expect="100-continue"))
    answer = received(connection)
    assert status in answer.partition(b"\r\n")[0]
    assert b"100 Continue" not in answer


def test_the_page_is_asked_for_a_body(client, connect):
    connection = connect()
    connection.sendall(head(client, Expect="100-continue"))
    assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
    connection.sendall(BODY.encode())
    assert connection.recv(100).startswith(b"HTTP/1.1 200")


WRONG = {
    "a prototype": '"__proto__": {"lam": 1}',
    "a constructor": '"constructor": {}',
    "an array for lam": '"lam": [0.05]',
    "an array for a parameter": '"parameter": [1]',
    "an object for lam": '"lam": {"valueOf": 1}',
    "a large lam": '"lam": 1e308',
    "a large parameter": '"parameter": 1e308',
    "large coordinates": '"points": [[0, 1], [1e308, 1]]',
    "small coordinates": '"points": [[0, 1], [-1e308, 1]]',
    "an array in a point": '"points": [[0, 1], [[1], 1]]',
    "one name twice": '"lam": 0.1, "lam": 0.2',
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("path", ["/api/line", "/api/race"])
def test_json_that_is_refused(client, path, case):
    fields = {name: value for name, value in json.loads(BODY).items() if name not in ("session", "number")}
    for name in json.loads("{" + WRONG[case] + "}"):
        fields.pop(name, None)
    text = json.dumps(fields)[:-1] + f", {WRONG[case]}}}"
    if path == "/api/race":
        text = f'{{"fit": {text}, "width": 3, "optimizer": "adam", "epochs": 3, "seed": 0}}'
    else:
        text = text[:-1] + ', "session": "a", "number": 1}'
    status, _, content = client.send("POST", path, text)
    assert status == 400
    assert len(json.loads(content)["error"]) > 10
