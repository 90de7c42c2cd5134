# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx, from Debian's package, which is unpacked and never installed: after a test nothing listens here."""

from __future__ import annotations

import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from tests.lab.common import CACHE, LabError, locked, run, say

PORT = 8765
SETTINGS = """
daemon off;
master_process off;
pid {top}/pid;
error_log {top}/error.log;
events {{}}
http {{
  default_type application/octet-stream;
  access_log {top}/access.log combined;
  log_format asked '$request_method $request_uri $status $body_bytes_sent $http_range';
  client_body_temp_path {top}/temporary;
  proxy_temp_path {top}/temporary;
  fastcgi_temp_path {top}/temporary;
  uwsgi_temp_path {top}/temporary;
  scgi_temp_path {top}/temporary;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    access_log {top}/asked.log asked;
    {more}
  }}
}}
"""


def program() -> Path:
    """Where nginx is; fetched on first use, by apt, which checks Debian's signatures."""
    folder = CACHE / "nginx"
    with locked("nginx"):
        if not folder.exists():
            say("Fetching nginx (once, 1 MB; it is not installed) …")
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
                run("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work, *apt, "download", "nginx")
                run("dpkg-deb", "--extract", next(Path(work).glob("nginx_*.deb")), Path(work) / "out")
                (Path(work) / "out").rename(folder)
    return folder / "usr/sbin/nginx"


class Web:
    """Serves the folder `root` at `url` while the `with` lasts.

    top: a folder for its own files. more: further lines of nginx's `server`, such as `limit_rate 1m;`.
    """

    def __init__(self, top: Path, root: Path, more: str = "", port: int = PORT) -> None:
        self.top, self.root, self.more, self.port = top, root, more, port
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        (self.top / "temporary").mkdir(parents=True, exist_ok=True)
        settings = self.top / "nginx.conf"
        text = SETTINGS.format(top=self.top, root=self.root, more=self.more, port=self.port)
        settings.write_text(text, encoding="utf-8")
        argv: list[str | Path] = [program(), "-p", self.top, "-c", settings, "-e", self.top / "error.log"]
        self.process = subprocess.Popen(argv)
        for _attempt in range(1000):
            if self._answers():
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.__exit__()
        raise LabError(f"nginx does not serve; see {self.top}/error.log")

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def asked(self) -> list[str]:
        """What was asked since it began: "METHOD PATH STATUS BYTES RANGE", RANGE is "-" when the whole was."""
        if self.process.poll() is None:
            self._answers()  # nginx writes a line after the answer's last byte, and before it turns to another question
        lines = (self.top / "asked.log").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if not line.startswith("GET / ")]
