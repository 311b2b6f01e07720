"""A server on this machine that answers as the weather services do."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, dict[str, str]], tuple[int, bytes]]


@dataclass
class Service:
    """What a server was asked, and what it answers next; `cut` bytes are promised and not sent."""

    answer: Answer
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    cut: int = 0


@contextmanager
def serving(answer: Answer) -> Iterator[Service]:
    """A server that runs while the block does."""
    told = Service(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(parts.query))
            told.asked.append((parts.path, query))
            code, body = told.answer(parts.path, query)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) + told.cut))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
