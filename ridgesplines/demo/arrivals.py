"""What arrives on a connection, up to a deadline."""

from __future__ import annotations

import io
import socket
import time
from typing import Any


class Arrivals(io.RawIOBase):
    """The bytes that a socket receives, until `end`: one byte now and then does not hold a connection for ever.

    The time limit of a socket begins anew with every byte; this one does not.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.silence = connection, connection.gettimeout()
        self.end = time.monotonic()

    def within(self, seconds: float) -> None:
        """Set the deadline."""
        self.end = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.end - time.monotonic()
        if left <= 0.0:
            raise TimeoutError("the request took too long to arrive")
        self.connection.settimeout(left)
        try:
            return self.connection.recv_into(buffer)
        finally:
            self.connection.settimeout(self.silence)  # for what is sent
