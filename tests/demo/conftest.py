"""A demo that serves while the tests run, and how to ask it."""

import http.client
import json
import threading

import pytest

from ridgesplines.demo.server import Demo


class Client:
    """A connection a request, as a stranger would have it."""

    def __init__(self, port):
        self.port = port

    def send(self, method, path, body=None, headers=None, own_host=True):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=not own_host)
            body = body.encode() if isinstance(body, str) else body
            given = {} if body is None else {"Content-Type": "application/json", "Content-Length": str(len(body))}
            for name, value in {**given, **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def get(self, path):
        status, _, content = self.send("GET", path)
        assert status == 200, content
        return json.loads(content)

    def ask(self, path, **body):
        """(status, answer) to a question."""
        status, _, content = self.send("POST", path, json.dumps(body))
        return status, json.loads(content)

    def points(self, name):
        return self.get(f"/api/data/{name}")["points"]


@pytest.fixture(scope="session")
def demo():
    with Demo(0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def client(demo):
    return Client(demo.server_port)
