"""A batched server of the distribution, and plain HTTP to it."""

import contextlib
import http.client
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "dist" / "target" / "vllm-mlx" / "bin" / "vllm-mlx"


class Server:
    def __init__(self, process, port):
        self.process = process
        self.port = port

    def connect(self, timeout=1200):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body of a whole answer."""
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"} | (headers or {}))
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def stream(self, path, body, headers=None):
        """The data of each event and when it came. To leave it early is to close the connection."""
        with contextlib.closing(self.connect()) as connection:
            connection.request("POST", path, json.dumps(body | {"stream": True}),
                               {"Content-Type": "application/json"} | (headers or {}))
            response = connection.getresponse()
            if response.status != 200:
                raise OSError(f"{response.status}: {response.read()[:300]}")
            for line in response:
                if line.startswith(b"data: ") and line != b"data: [DONE]\n":
                    yield time.monotonic(), json.loads(line[6:])

    def engine(self):
        return json.loads(self.ask("GET", "/v1/status")[2])["engine"]

    def at_rest(self, seconds=30):
        """The engine's gauges once nothing runs and no sequence holds a block."""
        deadline = time.monotonic() + seconds
        while True:
            engine = self.engine()
            if engine["running"] == engine["waiting"] == engine["gauges"]["kv_blocks_used"] == 0:
                return engine["gauges"]
            if time.monotonic() > deadline:
                raise OSError(f"the server does not come to rest: {engine}")
            time.sleep(0.1)

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * 4096


@contextlib.contextmanager
def running(*options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends with the script
    with tempfile.TemporaryDirectory() as folder:
        port_file = pathlib.Path(folder, "port")
        output = pathlib.Path(folder, "output")
        with output.open("w") as out:
            process = subprocess.Popen(
                [LAUNCHER, "serve", "--engine", "batched", "--use-paged-cache", "--host", "127.0.0.1",
                 "--port", "0", "--port-file", port_file, "--log-level", "error", *options],
                stdout=out, stderr=out)  # fmt: skip
        try:
            deadline = time.monotonic() + 240
            while not port_file.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"the server did not start: {output.read_text()}")
                time.sleep(0.1)
            yield Server(process, int(port_file.read_text()))
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def report(figures, holds):
    """Prints the figures and what does not hold of it; the exit code."""
    broken = [what for what, good in holds.items() if not good]
    print(json.dumps(figures | {"broken": broken}, indent=2))
    return 1 if broken else 0
