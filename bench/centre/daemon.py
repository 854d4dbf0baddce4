"""A centre under measurement: starts xinghed on a folder of its own and speaks HTTP to its socket."""

import json
import os
import signal
import socket
import subprocess
import time


class Gone(Exception):
    """The daemon did not answer: nobody knows whether the request was done."""


def parse(answer):
    """Status and body of one HTTP answer."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        raise Gone(f"no head in the answer: {answer[:80]!r}")
    lines = head.split(b"\r\n")
    status = int(lines[0].split()[1])
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and len(body) < int(value):
            raise Gone("answer cut short")
        if name.lower() == b"transfer-encoding" and b"chunked" in value:
            rest, body = body, b""
            while rest:
                size, _, rest = rest.partition(b"\r\n")
                count = int(size, 16)
                if count == 0:
                    break
                body += rest[:count]
                rest = rest[count + 2:]
    return status, body


class Daemon:
    """One xinghed; `program` must be in PATH or a path."""

    def __init__(self, folder, machine="tianjin", time_mode="stepped", extra=(), program="xinghed"):
        self.folder, self.machine, self.time_mode = folder, machine, time_mode
        self.state, self.socket = folder + "/state", folder + "/socket"
        self.extra, self.program = list(extra), program
        self.process = None
        os.makedirs(folder, exist_ok=True)

    def start(self):
        """Starts it and waits until it answers; the wall seconds that this took."""
        begin = time.monotonic()
        with open(self.folder + "/log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--state", self.state, "--socket", self.socket, "--machine", self.machine,
                 "--time", self.time_mode, "--kill-wait", "2"] + self.extra,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"xinghed ended with {self.process.returncode}: {self.log()}")
            try:
                if self.get("/healthz", timeout=5)[0] == 200:
                    return time.monotonic() - begin
            except Gone:
                time.sleep(0.002)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()

    def stop(self):
        self.kill(signal.SIGTERM)

    def log(self, lines=8):
        with open(self.folder + "/log", errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    # Requests

    def exchange(self, data, timeout=60.0):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(timeout)
                link.connect(self.socket)
                link.sendall(data)
                parts = []
                while True:
                    part = link.recv(1 << 16)
                    if not part:
                        return parse(b"".join(parts))
                    parts.append(part)
        except OSError as error:
            raise Gone(str(error)) from error

    def get(self, target, timeout=60.0):
        head = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        return self.exchange(head.encode(), timeout)

    def post(self, target, body, timeout=600.0):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = (f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n")
        return self.exchange(head.encode() + data, timeout)

    @staticmethod
    def lines(requests):
        """Many submissions as one body."""
        return "".join(json.dumps(request) + "\n" for request in requests).encode()

    def batch(self, requests):
        """Submits many jobs; the answers."""
        status, body = self.post("/v1/jobs/batch", self.lines(requests))
        if status != 200:
            raise RuntimeError(f"batch: {status} {body[:300]}")
        return [json.loads(line) for line in body.splitlines()]

    # The process

    def memory(self, what="VmRSS"):
        """Resident memory; `VmHWM` for the most that it was. Unit: MiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith(what + ":"):
                    return int(line.split()[1]) / 1024
        raise RuntimeError("no such line")

    def cpu(self):
        """Processor time so far. Unit: s."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def disk(self):
        """What its state folder takes. Unit: bytes."""
        total = 0
        for folder, _, names in os.walk(self.state):
            total += sum(os.stat(os.path.join(folder, name)).st_blocks * 512 for name in names)
        return total
