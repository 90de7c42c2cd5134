# SPDX-License-Identifier: GPL-3.0-or-later
"""An ISO cannot be fetched, verified or taken apart, or is replaced while it is fetched."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from tests.faults.box import PLACE, Box, Seen, wait
from tests.unit.isos import make_iso, ubuntu_files

CUT = """
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        data = open("/var/tmp/served.iso", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if "cut" in self.path else data)
        if "cut" in self.path:
            self.wfile.flush(); self.connection.close()
http.server.ThreadingHTTPServer(("127.0.0.1", 8123), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def iso(box: Box) -> str:
    """Another ISO, served on the server itself; its checksum."""
    image = PLACE / "other.iso"
    make_iso(image, {**ubuntu_files(), "extra": b"more\n" * 1000}, joliet=True)
    subprocess.run(["podman", "cp", str(image), f"{box.server.container}:/var/tmp/served.iso"], check=True)
    box.sh(
        f"cat >/var/tmp/web.py <<'EOF'\n{CUT}\nEOF\nsystemctl stop web; systemd-run --unit=web python3 /var/tmp/web.py"
    )
    wait(lambda: "8123" in box.sh("ss -Hltn"), 60)
    return hashlib.sha256(image.read_bytes()).hexdigest()


def provide(box: Box, file: str, digest: str, path: str = "/srv/netboot/http/images") -> tuple[bool, str]:
    given = {"focal": {"url": f"http://127.0.0.1:8123/{file}", "checksum": f"sha256:{digest}"}}
    options = {"path": path, "images": "{{ given | homelab.netboot.images }}", "patience": 2}
    return box.module("boot_images", options, {"given": given})


def message(said: str) -> str:
    found = [
        line.partition(":")[2].strip(" \"',")
        for line in said.splitlines()
        if line.strip().startswith(('"msg"', "msg:"))
    ]
    return " ".join((found or [said])[0].replace("\\n", " ").split())[:230]


@pytest.mark.parametrize(
    ("fault", "told"),
    [("cut", "is broken off at"), ("checksum", "has the checksum"), ("disk full", "Not enough space in")],
)
def test_the_download_of_an_iso_fails(box: Box, seen: Seen, iso: str, fault: str, told: str) -> None:
    # what has come is kept, apart from what is served
    look = (
        "cd /srv/netboot/http/images; find . -name .partial -prune -o -print | sort; readlink focal/current"
    )
    before = box.sh(look)
    if fault == "disk full":
        box.sh("mkdir -p /mnt/full; mount -t tmpfs -o size=64k tmpfs /mnt/full")
    path = "/mnt/full/images" if fault == "disk full" else "/srv/netboot/http/images"
    done, said = provide(
        box, "cut.iso" if fault == "cut" else "x.iso", "0" * 64 if fault == "checksum" else iso, path
    )
    assert not done
    assert told in said
    assert "Traceback" not in said
    assert "focal" in message(said)
    assert box.sh(look) == before
    if fault == "disk full":
        assert box.sh("find /mnt/full -type f -size +0; umount /mnt/full").strip() == ""
    seen(message(said))


# A small disk in the place of the images, with what was there, on which so much is left: the ISO fits, and no more.
SMALL = """set -e
cd /srv/netboot/http
mount -t tmpfs -o size=4m,nr_inodes=4k tmpfs images
mkdir -p /run/below
mount --bind /srv/netboot/http /run/below
cp -a /run/below/images/. images
umount /run/below
free() { df --output=$1 -B1 images | tail -n 1; }
case SHORT in
bytes) head -c $(($(free avail) - $(stat -c %s /var/tmp/served.iso) - 16384)) /dev/zero >images/filler;;
files) mkdir images/filler; for number in $(seq $(($(free iavail) - 3))); do mknod images/filler/$number p; done;;
esac
"""


@pytest.mark.parametrize(
    ("short", "told"), [("bytes", "Not enough space in"), ("files", "No space left on device")]
)
def test_disk_full_when_kernel_and_initrd_are_taken_out(
    box: Box, seen: Seen, iso: str, short: str, told: str
) -> None:
    # a manifest tells inodes, which are others here
    look = (
        "cd /srv/netboot/http/images; find . ! -path './filler*' | sort; readlink focal/current; "
        "ls */*/* | grep -v manifest.json | xargs sha256sum"
    )
    kernel = "/images/focal/" + box.sh("readlink /srv/netboot/http/images/focal/current").strip() + "/vmlinuz"
    old = box.http(kernel)
    assert old[0] == "200"
    box.sh(SMALL.replace("SHORT", short))
    try:
        before = box.sh(look)
        done, said = provide(box, "x.iso", iso)
        assert not done
        assert told in said
        assert "cannot be downloaded" not in said
        assert "Traceback" not in said
        assert "focal" in message(said)
        assert box.sh(look) == before
        assert box.http(kernel) == old
        box.sh("rm -r /srv/netboot/http/images/filler")
        done, again = provide(box, "x.iso", iso)  # with room it goes on
        assert done, again
        assert box.http(kernel) == old  # for machines that have begun
        seen(message(said))
    finally:
        box.sh("umount /srv/netboot/http/images")


def test_the_iso_is_replaced_while_it_is_fetched(box: Box, seen: Seen, iso: str) -> None:
    old = box.sh("readlink -f /srv/netboot/http/images/focal/current/focal.iso").strip()
    digest = box.sh(f"sha256sum {old}").split()[0]
    argv = [
        "curl",
        "-sS",
        "--limit-rate",
        "20k",
        f"http://{box.address}{old.removeprefix('/srv/netboot/http')}",
    ]
    with subprocess.Popen(
        ["ip", "netns", "exec", box.network.namespace, *argv], stdout=subprocess.PIPE
    ) as client:
        done, said = provide(box, "x.iso", iso)
        assert done, said
        assert client.stdout is not None
        assert hashlib.sha256(client.stdout.read()).hexdigest() == digest
    new = box.sh("readlink -f /srv/netboot/http/images/focal/current/focal.iso").strip()
    assert new != old
    assert box.sh(f"sha256sum {new}").split()[0] == iso
    seen("nothing; a machine that has begun goes on with the old ISO, byte for byte")
