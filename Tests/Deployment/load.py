#!/usr/bin/env python3
"""Books seats through the front door for as long as it is let, and says what became of each request.

    load.py HOST PORT CA ORDER OUTPUT [--retry] [--rate N]

Keeps its connections open, as a frontend does. Without --retry every answer other than 201, and every broken
connection, is a failure. With it a request is repeated under its key until it is answered, as clients do, and only
a final refusal is a failure. On SIGTERM it ends, and OUTPUT has a line of JSON for each booking.
"""
import argparse
import http.client
import json
import pathlib
import signal
import socket
import ssl
import threading
import time
import uuid

parser = argparse.ArgumentParser()
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("ca")
parser.add_argument("order")
parser.add_argument("output")
parser.add_argument("--retry", action="store_true")
parser.add_argument("--rate", type=float, default=60)
options = parser.parse_args()
order = pathlib.Path(options.order).read_bytes()
tls = ssl.create_default_context(cafile=options.ca)
THREADS = 4
running = threading.Event()
running.set()
signal.signal(signal.SIGTERM, lambda *_: running.clear())
lock = threading.Lock()
output = open(options.output, "w")


class Door:
    """One connection, which is opened when there is none."""

    def __init__(self):
        self.connection = None

    def ask(self, method, path, body, headers):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(options.host, options.port, timeout=20, context=tls)
            # The name is the site's, the address this machine's.
            self.connection._create_connection = lambda _, *rest: socket.create_connection(
                ("127.0.0.1", options.port), *rest)
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise


def book(door):
    key = str(uuid.uuid4())
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    tries = 0
    while True:
        tries += 1
        try:
            status, body = door.ask("POST", "/v1/bookings", order, headers)
        except (OSError, http.client.HTTPException) as error:
            status, body = 0, repr(error).encode()
        if status == 201 or not options.retry or (status not in (0, 429) and status < 500) or tries > 300:
            break
        time.sleep(0.2)
    line = {"key": key, "status": status, "tries": tries}
    if status == 201:
        line |= {name: json.loads(body)[name] for name in ("booking", "code")}
    else:
        line["body"] = body[:300].decode(errors="replace")
    with lock:
        output.write(json.dumps(line) + "\n")
        output.flush()


def read(door):
    try:
        status, body = door.ask("GET", "/v1/trips", None, {})
    except (OSError, http.client.HTTPException) as error:
        status, body = 0, repr(error).encode()
    if status != 200 and not options.retry:
        with lock:
            output.write(json.dumps({"read": status, "status": status, "body": body[:300].decode(errors="replace")}) + "\n")
            output.flush()


def work():
    door = Door()
    while running.is_set():
        began = time.monotonic()
        book(door)
        read(door)
        time.sleep(max(0, THREADS / options.rate - (time.monotonic() - began)))


threads = [threading.Thread(target=work) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
