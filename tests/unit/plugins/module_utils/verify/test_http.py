# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import threading
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.http import Http, HttpTarget, TransportError


@pytest.fixture
def serve():
    """Return serve(connections) -> Target; each connection is a list of raw answers, None keeps it open unanswered."""
    sockets = []

    def start(*connections):
        server = socket.create_server(("127.0.0.1", 0))
        sockets.append(server)

        def loop():
            for answers in connections:
                client, _address = server.accept()
                sockets.append(client)
                for answer in answers:
                    if not client.recv(65536):
                        break
                    client.sendall(answer)
                if answers and not answers[-1].endswith(b"OPEN"):
                    client.close()

        threading.Thread(target=loop, daemon=True).start()
        return HttpTarget("http", "127.0.0.1", server.getsockname()[1])

    yield start
    for one in sockets:
        one.close()


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


def test_one_connection_serves_several_requests(serve):
    http = Http(serve([LENGTH, CHUNKED, EMPTY, LENGTH]))
    replies = [http.request("GET", "/x") for _number in range(4)]
    assert [(reply.status, reply.body) for reply in replies] == [(200, b"hi"), (200, b"hi"), (503, b""), (200, b"hi")]


def test_a_kept_connection_that_was_closed_is_opened_again(serve):
    http = Http(serve([LENGTH], [LENGTH]))
    assert http.request("POST", "/x", {"a": 1}).body == b"hi"
    time.sleep(0.05)
    assert http.request("POST", "/x", {"a": 1}).body == b"hi"


def test_a_body_without_length_ends_with_silence(serve):
    http = Http(serve([b"HTTP/1.1 200 OK\r\n\r\nOPEN"]))
    begin = time.monotonic()
    assert http.request("GET", "/x").body == b"OPEN"
    assert time.monotonic() - begin < 3


def test_no_answer_is_named(serve):
    http = Http(serve([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nOPEN"]))
    with pytest.raises(TransportError, match="timed out after 0s waiting for http://127.0.0.1"):
        http.request("GET", "/x", timeout=0.2)


def test_a_refused_connection_may_pass():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransportError, match="refused") as caught:
        Http(HttpTarget("http", "127.0.0.1", port)).request("GET", "/x")
    assert caught.value.transient
