# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of the lab's own that sign as Ubuntu does, by the real GnuPG: `with Key("Lab") as key: key.sign(b"…")`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from typing import Any


class Key:
    """A key in a GnuPG home of its own, which ends with the `with`. `options` are those of gpg when it is made."""

    def __init__(self, name: str, *options: str) -> None:
        self.name, self.options = name, options

    def __enter__(self) -> Key:
        self.home = tempfile.mkdtemp(prefix="pgp-", dir="/tmp")  # short: it holds gpg-agent's sockets
        self._gpg(*self.options, "--quick-generate-key", self.name, "ed25519", "sign", "never")
        lines = self._gpg("--with-colons", "--list-keys").decode().splitlines()
        self.fingerprint = next(line.split(":")[9] for line in lines if line.startswith("fpr:"))
        return self

    def __exit__(self, *_error: Any) -> None:
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=True)
        self._wait_for_the_end()
        shutil.rmtree(self.home)

    def _gpg(self, *words: str, given: bytes = b"") -> bytes:
        argv = [
            "gpg",
            "--homedir",
            self.home,
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ]
        return subprocess.run([*argv, *words], input=given, check=True, stdout=subprocess.PIPE).stdout

    def _wait_for_the_end(self) -> None:
        """gpgconf does not wait, and an agent that ends takes away its sockets, which rmtree would miss then."""
        until = time.monotonic() + 10
        while any(name.startswith("S.") for name in os.listdir(self.home)):
            if time.monotonic() > until:
                raise TimeoutError(f"GnuPG's helpers of {self.home} have not ended in 10 s")
            time.sleep(0.01)

    def sign(self, text: bytes, *options: str) -> bytes:
        """A detached signature, as SHA256SUMS.gpg is one."""
        return self._gpg(*options, "--armor", "--detach-sign", given=text)

    def sign_inside(self, text: bytes) -> bytes:
        """The text with its signature, as InRelease is one."""
        return self._gpg("--clear-sign", given=text)

    def public(self, *, armor: bool = True) -> bytes:
        """The public key."""
        return self._gpg(*(["--armor"] if armor else []), "--export")

    def revoke(self) -> None:
        """From now on `public` says that the key counts no more. gpg has put the words for it aside."""
        place = f"{self.home}/openpgp-revocs.d/{self.fingerprint}.rev"
        with open(place, encoding="utf-8") as file:
            text = file.read().replace(":-----BEGIN", "-----BEGIN")
        self._gpg("--import", given=text.encode())
