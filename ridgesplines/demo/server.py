"""The server of the live page: this machine only, nothing but the files and the computations named here."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import threading
import webbrowser
from collections import OrderedDict
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from importlib.util import find_spec
from socketserver import TCPServer
from typing import Any

import ridgesplines as rs
from ridgesplines.demo.arrivals import Arrivals
from ridgesplines.demo.datasets import DATASETS
from ridgesplines.demo.schema import (
    MOST_BYTES,
    MOST_POINTS,
    Fit,
    Refused,
    Training,
    Turn,
    parsed,
    read_fit,
    read_training,
    read_turn,
)
from ridgesplines.demo.worker import Workers

HOST, PORT = "127.0.0.1", 8710
#: Seconds that a connection may be silent, a request may take to arrive, and may wait for its turn.
SILENCE, ARRIVAL, WAIT = 30.0, 10.0, 5.0
#: Seconds that a fit or a race may take.
FIT_TIME, RACE_TIME = 10.0, 150.0
#: Connections at a time; a page has no more than six.
MOST_CONNECTIONS = 64
#: Sessions of which the newest request is remembered.
MOST_SESSIONS = 64

DIMENSIONS = {"line": 1, "plane": 2}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def pages() -> dict[str, tuple[str, bytes]]:
    """Path, content type and content of every file that is ever served; read once, by their own names."""
    contents = {}
    for file in files("ridgesplines.demo").joinpath("static").iterdir():
        kind = TYPES.get(os.path.splitext(file.name)[1])
        if kind is not None:
            contents[f"/{file.name}"] = (f"{kind}; charset=utf-8", file.read_bytes())
    return {"/": contents["/index.html"], **contents}


class Demo(ThreadingHTTPServer):
    """The page at http://127.0.0.1:port; port 0 takes a free one.

    `with Demo(0) as demo: demo.serve_forever()`, and `demo.shutdown()` from another thread.
    """

    daemon_threads = True
    request_queue_size = 128  # connections that come at once wait to be answered, or refused in words
    allow_reuse_address = os.name == "posix"  # elsewhere it would share the port with whoever has it

    def __init__(self, port: int = PORT) -> None:
        self.pages, self.fits, self.races = pages(), Workers(3), Workers(1)
        self.newest: OrderedDict[str, int] = OrderedDict()
        self.lock, self.free = threading.Lock(), threading.Semaphore(MOST_CONNECTIONS)
        super().__init__((HOST, port), Handler)
        self.fits.start()

    def server_bind(self) -> None:
        """Bind without the standard library's look-up of this machine's name, for which it may wait long offline."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(f"http://{name}:{self.server_port}" for name in (HOST, "localhost"))

    def arrived(self, turn: Turn) -> None:
        """Note a session's newest request; sessions long silent are forgotten."""
        with self.lock:
            self.newest[turn.session] = max(turn.number, self.newest.pop(turn.session, 0))
            while len(self.newest) > MOST_SESSIONS:
                self.newest.popitem(last=False)

    def is_newest(self, turn: Turn) -> bool:
        with self.lock:
            return self.newest.get(turn.session, turn.number) <= turn.number

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread a connection, as long as there are not too many."""
        if self.free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self._turn_away(request)
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def _turn_away(self, connection: socket.socket) -> None:
        """A refusal without a thread, and without waiting for the question."""
        body = json.dumps({"error": f"busy: {MOST_CONNECTIONS} connections at a time. Try again in a moment."})
        head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        connection.setblocking(False)
        with suppress(OSError):
            connection.sendall(f"{head}\r\nRetry-After: 1\r\nConnection: close\r\n\r\n{body}".encode())
            connection.recv(MOST_BYTES)  # closed with data pending, a connection may lose the answer

    def server_close(self) -> None:
        super().server_close()
        for workers in (self.fits, self.races):
            workers.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A tab that was closed in the middle of an answer is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """The answers to requests: sender and content are checked; every refusal has a status and a reason."""

    server: Demo
    protocol_version = "HTTP/1.1"
    server_version = "ridgesplines"
    sys_version = ""
    timeout = SILENCE
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.arrivals = Arrivals(self.connection)
        self.rfile = self.arrived = io.BufferedReader(self.arrivals)

    def handle_one_request(self) -> None:
        """A request may be long in coming; once it has begun, all of it is soon there, or no longer waited for."""
        self.close_connection = True
        self.arrivals.within(SILENCE)
        with suppress(TimeoutError):
            if self.arrived.peek(1):
                self.arrivals.within(ARRIVAL)
                super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Ask for a body only where it will be read: whoever sends it, and what it is said to be, come first."""
        try:
            self._check_sender()
            self._length()
        except Refused as refused:
            self._refuse(refused)
            return False
        return super().handle_expect_100()

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_HEAD(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, how: Any) -> None:
        try:
            self._check_sender()
            how()
        except Refused as refused:
            self._refuse(refused)

    def _refuse(self, refused: Refused) -> None:
        self._json({"error": str(refused)}, refused.status)
        if self.close_connection:
            self._drain()

    def _drain(self) -> None:
        """Read some of what was not read: a connection closed with data pending may lose the answer on its way."""
        self.connection.shutdown(socket.SHUT_WR)
        self.arrivals.within(1.0)
        with suppress(TimeoutError):
            while self.arrived.read1(MOST_BYTES):
                pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A refusal by the standard library: of lines that are no HTTP, and of methods that are not answered."""
        status = 405 if code == 501 else code
        reason = {405: "expected GET, HEAD or POST"}.get(status, message or "this is no request of HTTP/1.1")
        self.close_connection, self.request_version = True, self.protocol_version
        self._json({"error": reason}, status)

    def _check_sender(self) -> None:
        """Only the page itself: a name that another site made point here, or another site's script, is refused."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or f"http://{hosts[0]}" not in self.server.origins:
            raise self._closing(403, f"Host: expected {' or '.join(self.server.origins)}")
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{hosts[0]}":
            raise self._closing(403, "Origin: this server answers its own page only")

    def _get(self) -> None:
        if self.headers.get("Content-Length") or self.headers.get("Transfer-Encoding"):
            self.close_connection = True  # what comes with it is not read, and is no next request
        path = self.path.partition("?")[0]
        if path in self.server.pages:
            self._send(*self.server.pages[path])
        elif path == "/api/about":
            self._json(about())
        elif path.startswith("/api/data/") and path.removeprefix("/api/data/") in DATASETS:
            self._json(DATASETS[path.removeprefix("/api/data/")].load())
        else:
            raise Refused(404, "there is no such page")

    def _post(self) -> None:
        body = parsed(self._body())
        task = self.path.removeprefix("/api/")
        if task in DIMENSIONS:
            turn = read_turn({name: body.pop(name, None) for name in ("session", "number")})
            self._compute(task, read_fit(body, DIMENSIONS[task]), turn)
        elif task == "race":
            self._race(read_training(body))
        elif task == "snippet/race":
            self._compute("snippet", read_training(body))
        elif task in ("snippet/line", "snippet/plane"):
            self._compute("snippet", read_fit(body, DIMENSIONS[task.removeprefix("snippet/")]))
        else:
            raise Refused(404, "there is nothing to ask here")

    def _body(self) -> bytes:
        length = self._length()
        try:
            return self.rfile.read(length)
        except TimeoutError:
            raise self._closing(408, f"expected all of the request within {ARRIVAL:g} s") from None

    def _length(self) -> int:
        """The bytes of a body, no more than is allowed. Where it is not read, the connection ends with the answer."""
        if self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):  # a link may lead here from afar
            raise self._closing(403, "Sec-Fetch-Site: this server computes for its own page only")
        if self.headers.get_content_type() != "application/json":
            raise self._closing(415, "Content-Type: expected application/json")
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not (length.isascii() and length.isdigit()):
            raise self._closing(411, "Content-Length: expected a number of bytes")
        if len(length) > 12 or int(length) > MOST_BYTES:
            raise self._closing(413, f"expected at most {MOST_BYTES} bytes; got {length[:12]}")
        return int(length)

    def _closing(self, status: int, reason: str) -> Refused:
        self.close_connection = True
        return Refused(status, reason)

    def _compute(self, task: str, request: Fit | Training, turn: Turn | None = None) -> None:
        if turn is not None:
            self.server.arrived(turn)
        with self.server.fits.lend(WAIT) as worker, closing(worker.run(task, request, FIT_TIME)) as messages:
            self._check_turn(turn)
            while (answer := next(messages)) is None:
                self._check_turn(turn)
            next(messages, None)  # the task's end
        self._json(answer)

    def _check_turn(self, turn: Turn | None) -> None:
        if turn is not None and not self.server.is_newest(turn):
            raise Refused(409, "a newer request of this page has taken its place")

    def _race(self, training: Training) -> None:
        """One line of JSON a frame, as it comes; blank ones meanwhile, by which a closed tab is noticed."""
        if find_spec("torch") is None:
            raise Refused(501, "the race needs PyTorch: pip install 'ridgesplines[torch]', and start the demo again")
        with self.server.races.lend(WAIT) as worker, closing(worker.run("race", training, RACE_TIME)) as frames:
            first = next(filter(None, frames))  # what refuses the problem does so before the answer begins
            self.close_connection = True
            self._head(200, {"Content-Type": "application/x-ndjson", "Connection": "close"})
            self._line(first)
            try:
                for frame in frames:
                    self._line(frame)
            except Refused as refused:
                self._line({"error": str(refused)})

    def _line(self, value: dict[str, Any] | None) -> None:
        self.wfile.write(b"\n" if value is None else json.dumps(value, allow_nan=False).encode() + b"\n")

    def _json(self, value: dict[str, Any], status: int = 200) -> None:
        self._send("application/json", json.dumps(value, allow_nan=False).encode(), status)

    def _send(self, kind: str, content: bytes, status: int = 200) -> None:
        self._head(status, {"Content-Type": kind, "Content-Length": str(len(content))})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        if self.close_connection:
            headers = {"Connection": "close", **headers}
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """No log: the terminal is for what the person who started the demo should read."""


def about() -> dict[str, Any]:
    """The facts that the page needs to know of this machine and of the library."""
    return {
        "version": rs.__version__,
        "torch": find_spec("torch") is not None,
        "most_points": MOST_POINTS,
        "datasets": [{"name": name, "title": d.title, "d": d.d, "classes": d.classes} for name, d in DATASETS.items()],
    }


def serve(port: int | None = None, browser: bool = True) -> None:
    """Serve the page until Ctrl-C, and open it in the browser. A port of None takes 8710, or a free one.

    In a script of your own call it under ``if __name__ == "__main__":``, as multiprocessing asks for.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # small matrices, in processes of their own: more threads are slower
    with _bound(port) as demo:
        print(f"ridgesplines demo at {demo.origins[0]}  (Ctrl-C ends it)", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(demo.origins[0],), daemon=True).start()
        try:
            demo.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            print("\nthe demo has ended")


def _bound(port: int | None) -> Demo:
    try:
        return Demo(PORT if port is None else port)
    except (OSError, OverflowError) as error:
        if port is None:
            return Demo(0)
        got = f"{port} ({getattr(error, 'strerror', None) or error})"
        raise rs.ProblemError("port", "a free port of this machine", got, "Leave it out, and one is found.") from None
