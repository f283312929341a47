"""What every later test relies on: the URLs lead to a database and a cache that answer."""

import os
import socket
import unittest
from urllib.parse import urlsplit


class Addresses(unittest.TestCase):
    """.env says db:5432, which only containers understand; here it is a port of this machine."""

    def ask(self, key: str, words: bytes) -> bytes:
        """Send a few bytes to the address of a variable and return the answer."""
        url = urlsplit(os.environ[key])
        with socket.create_connection((url.hostname, url.port), timeout=5) as connection:
            connection.sendall(words)
            return connection.recv(16)

    def test_database_speaks_postgresql(self) -> None:
        """It answers a request for TLS with yes or no."""
        assert self.ask("DATABASE_URL", bytes.fromhex("0000000804d2162f")) in {b"N", b"S"}

    def test_cache_speaks_redis(self) -> None:
        """It answers a ping."""
        assert self.ask("REDIS_URL", b"PING\r\n") == b"+PONG\r\n"


if __name__ == "__main__":
    unittest.main()
