# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault really happens on the server; see conftest.py for what is asked after every one of them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.box import FLEET, OTHERS, PLACE, Box, wait
from tests.lab import lan
from tests.unit.isos import make_iso, ubuntu_files

Seen = Callable[[str], None]
CLIENTS = Path(__file__).with_name("clients.py")
PROBE = Path(__file__).parents[1] / "pxe_probe.py"
POINTS = 20
EARLIER = """
import json, sys
path, seconds = "/var/lib/netboot/machines/" + sys.argv[1] + ".json", float(sys.argv[2])
state = json.load(open(path))
state["clock"]["since_boot"] -= seconds
json.dump(state, open(path, "w"))
"""

# Another version of every entry and seed: what a run of the playbook changes.
BUMP = """
import glob, os, re, sys
for pattern in ("boot/*/*/*/*", "boot/*/*/*/*/*", "seed/*/user-data"):
    for path in glob.glob(top + "/plan/" + pattern):
        if os.path.isfile(path):
            text = re.sub("# version .*\\n", "", open(path).read())
            open(path, "w").write(text + "# version %d END\\n" % version)
print("null")
"""
# What is served: the versions that were seen, and files that are not whole.
SERVED = """
import glob, json, re
versions, broken = set(), []
for pattern in ("tftp/pxelinux.cfg/01-*", "http/grub/machines/*", "http/machines/*/*/user-data"):
    for path in glob.glob(top + "/" + pattern):
        text = open(path).read()
        found = re.search(r"# version (\\d+) END\\n$", text)
        local = "LOCALBOOT" in text or "chainloader" in text
        if not local:
            versions.add(int(found[1]) if found else -1)
        if not text.endswith("\\n") or not text.startswith("#") or text.count("# version") > 1:
            broken.append(path)
print(json.dumps([sorted(versions), broken]))
"""


def bump(box: Box, version: int, top: str = "/var/lib/netboot") -> None:
    box.python(f"top, version = {top!r}, {version}\n{BUMP}")


def served(box: Box, top: str = "/srv/netboot") -> list[int]:
    versions, broken = box.python(f"top = {top!r}\n{SERVED}")
    assert broken == []
    return [int(version) for version in versions]


def test_power_cut_at_twenty_points_of_a_publication(box: Box, seen: Seen) -> None:
    box.allowed = set(OTHERS[:POINTS])
    tokens = box.tokens(OTHERS[:POINTS])
    box.sh("systemctl stop netboot-reports.path netboot-expire.timer")
    bump(box, 1)
    whole = (
        float(box.sh("s=$(date +%s%N); netboot publish >/dev/null; e=$(date +%s%N); echo $(((e-s)/1000000))"))
        / 1000
    )
    cut = 0
    for point in range(POINTS):
        name = OTHERS[point]
        bump(box, point + 2)
        moment = whole * (point + 0.5) / POINTS
        # one machine that reports just then; and everything that runs on the server ends, as at a power cut
        done = box.sh(
            f"echo x >/var/spool/netboot/reports/{name}.{tokens[name]}.installed\n"
            f"netboot publish & sleep {moment:.3f}; kill -9 -1; jobs -r",
            check=False,
        )
        cut += "changed" not in done
        found = served(box)
        assert set(found) <= {point + 1, point + 2}, f"cut at {moment:.3f} s: {found}"
        box.offered()  # every entry is whole, and those of one machine agree or the next run makes them
        box.sh("systemctl start netboot-publish")
        assert served(box) == [point + 2]
        assert box.states()[name] == "installed"
        left = "find /srv/netboot /var/lib/netboot -name '.netboot-*' | wc -l"
        assert box.sh(left).strip() == "0"
    box.sh(
        "systemctl reset-failed; systemctl start nginx dnsmasq ssh netboot-reports.path netboot-expire.timer"
    )
    assert cut >= POINTS // 2, f"only {cut} of {POINTS} came before the end"
    seen(
        f"nothing; at its next start the server completes what was begun ({cut} of {POINTS} cuts came in the middle)"
    )


def small(box: Box, size: str) -> str:
    """A server of its own in a file system that can be full or read-only; its command line."""
    box.sh(
        f"""set -e
        mkdir -p /mnt/small; mount -t tmpfs -o size={size} tmpfs /mnt/small
        mkdir -p /mnt/small/root/tftp /mnt/small/root/http/machines /mnt/small/spool/reports /mnt/small/spool/fetched
        cp -a /var/lib/netboot /mnt/small/state; rm -rf /mnt/small/state/served.json
        echo '{{"root": "/mnt/small/root", "state": "/mnt/small/state", "spool": "/mnt/small/spool"}}' >/etc/small.json
        netboot --settings /etc/small.json publish"""
    )
    return "netboot --settings /etc/small.json"


def test_disk_full_when_the_plan_is_handed_out(box: Box, seen: Seen) -> None:
    command = small(box, "16m")
    try:
        before = served(box, "/mnt/small/root")
        bump(box, 99, "/mnt/small/state")
        box.sh("dd if=/dev/zero of=/mnt/small/filler bs=4k status=none", check=False)
        said = box.sh(f"{command} publish; {command} arm m000", check=False)
        assert "No space left on device" in said
        assert "Traceback" not in said
        assert served(box, "/mnt/small/root") == before
        box.sh(f"rm /mnt/small/filler; {command} publish")
        assert served(box, "/mnt/small/root") == [99]
        seen(said.splitlines()[0])
    finally:
        box.sh("umount /mnt/small", check=False)


def test_read_only_file_system(box: Box, seen: Seen) -> None:
    command = small(box, "16m")
    try:
        token = box.tokens(["m000"])["m000"]
        box.sh(f"echo x >/mnt/small/spool/reports/m000.{token}.installed; mount -o remount,ro /mnt/small")
        said = box.sh(f"{command} reports", check=False)
        assert "Read-only file system" in said
        assert "Traceback" not in said
        box.sh(f"mount -o remount,rw /mnt/small; {command} reports")  # the report is still there
        assert json.loads(box.sh(f"{command} status --json m000"))[0]["state"] == "installed"
        seen(said.splitlines()[0])
    finally:
        box.sh("umount /mnt/small", check=False)


def test_dnsmasq_and_nginx_crash(box: Box, seen: Seen) -> None:
    box.sh("systemctl reset-failed; systemctl start nginx dnsmasq; systemctl kill -s KILL nginx dnsmasq")

    def answers() -> bool:
        probe = ["ip", "netns", "exec", box.network.namespace, "python3", str(PROBE), "--seconds", "1"]
        offers = subprocess.run(probe, capture_output=True, text=True, check=False).stdout
        return box.http("/grub/default.cfg")[0] == "200" and "lpxelinux.0" in offers

    seconds = wait(answers, 30)
    assert "Failed with result 'signal'" in box.sh("journalctl -u nginx -u dnsmasq --no-pager")
    seen(
        f"machines that ask in those seconds ask again; both answer after {seconds:.0f} s (systemd started them again)"
    )


def test_the_clock_jumps_by_ten_years(box: Box, seen: Seen) -> None:
    (name,) = OTHERS[20:21]
    box.allowed = {name}
    token = box.tokens([name])[name]
    assert box.http(f"/machines/{name}/{token}/user-data")[0] == "200"
    wait(lambda: box.states()[name] == "installing", 10)
    box.sh("apt-get -qq install --yes faketime >/dev/null")
    for jump in ("+10 years", "10 years ago"):
        told = box.sh(f"FAKETIME_DONT_FAKE_MONOTONIC=1 faketime '{jump}' sh -c 'date +%Y; netboot expire'")
        assert told.split()[0] in ("2016", "2036")
        assert box.states()[name] == "installing"
        assert box.http(f"/machines/{name}/{token}/meta-data")[0] == "200"
    # as if it had begun four hours ago: a container may not pretend that its host has been up for longer
    box.sh(f"python3 - {name} 14500 <<'EOF'\n{EARLIER}\nEOF\nnetboot expire")
    assert box.states()[name] == "failed"
    assert box.http(f"/machines/{name}/{token}/meta-data")[0] == "404"
    seen("nothing; a seed is handed out for four hours of the server's own, whatever its clock says")


def test_two_hundred_machines_report_at_once(box: Box, seen: Seen) -> None:
    box.allowed = set(FLEET)
    tokens = PLACE / "tokens.json"
    tokens.write_text(json.dumps(box.tokens(FLEET)))
    count = box.lan(CLIENTS, "life", box.address, lan.BRIDGE, str(tokens))
    seconds = wait(lambda: box.all_are("installed", FLEET), 60)
    assert (
        box.sh(
            "ls /var/spool/netboot/reports /var/spool/netboot/fetched | grep -c '^[mn]'", check=False
        ).strip()
        == "0"
    )
    assert box.sh("systemctl is-active netboot-reports.path").strip() == "active"
    count.pop("200")
    seen(
        f"all installed {seconds:.1f} s after the last report ({', '.join(f'{n} times {s}' for s, n in count.items())})"
    )


def test_a_report_during_a_run_of_the_playbook(box: Box, seen: Seen) -> None:
    names = OTHERS[21:39]
    box.allowed = set(names)
    tokens = PLACE / "tokens.json"
    tokens.write_text(json.dumps(box.tokens(names)))
    told: list[str] = []
    run = threading.Thread(target=lambda: told.append(box.site("during.log")))
    run.start()
    box.lan(CLIENTS, "life", box.address, lan.BRIDGE, str(tokens), "1")
    run.join()
    assert "failed=0" in told[0]
    wait(lambda: box.all_are("installed", names), 20)
    box.sh("netboot publish")
    assert box.all_are("installed", names)
    seen(f"nothing; {len(names)} machines reported while it ran, and none of them was armed again")


@pytest.mark.parametrize("content", ["half of it", "zeros"])
def test_a_state_file_is_damaged(box: Box, seen: Seen, content: str) -> None:
    name = "n39" if content == "zeros" else "n38"
    box.arm([name])
    box.known = box.states()
    box.allowed = {name}
    file = f"/var/lib/netboot/machines/{name}.json"
    box.sh(f"truncate -s {'0' if content == 'zeros' else '60'} {file}; truncate -s 200 {file}")
    box.sh("netboot publish")
    row = json.loads(box.sh(f"netboot status --json {name}"))[0]
    assert row["state"] == "failed"
    assert box.sh(f"ls {file}.damaged").strip().endswith(".damaged")
    seen(f"status: failed: {row['reason']}")


def test_five_hundred_random_requests_where_reports_are_taken(box: Box, seen: Seen) -> None:
    find = "find / -xdev -newer /run/mark -type f ! -path '/proc/*' ! -path '/var/log/*' ! -path '/run/*'"
    box.sh("touch /run/mark")
    count = box.lan(CLIENTS, "noise", box.address, "500")
    assert sum(count.values()) == 500
    wait(lambda: box.sh("find /var/spool/netboot -type f | wc -l").strip() == "0", 20)
    new = box.sh(find).split()
    assert [
        path
        for path in new
        if not path.startswith(("/var/lib/systemd", "/var/lib/netboot/lock", "/var/lib/nginx"))
    ] == []
    assert count.get("200", 0) == 0
    assert box.sh("systemctl is-active nginx netboot-reports.path").split() == ["active", "active"]
    said = ", ".join(f"{number} times {status}" for status, number in sorted(count.items()))
    seen(f"{said}; the journal says of each report that its token is wrong")


NAMES = (
    "..",
    "../../etc/cron.d/x",
    "..%2f..%2fetc%2fx",
    "%2e%2e/x",
    "x/../../../etc/x",
    "....//x",
    "x%00",
    "x\\..\\y",
)


def test_path_traversal_by_name(box: Box, seen: Seen) -> None:
    token = "0" * 32
    before = box.sh("find /srv/netboot /var/lib/netboot /etc /var/spool/netboot | sort | sha256sum")
    for name in NAMES:
        for path in (f"/reports/{name}.{token}.installed", f"/reports/{name}/x.{token}.failed"):
            status, _body = box.http(path, "-X", "PUT", "-d", "x")
            assert status in ("201", "204", "400", "403", "404", "405", "409"), (path, status)
        status, body = box.http(f"/machines/{name}/{token}/user-data")
        assert (status in ("400", "403", "404"), "#cloud-config" in body) == (True, False)
    for name in ("..", "...", "-x", "x" * 200):  # as if nginx let them through
        box.sh(
            f"cd /var/spool/netboot; echo x >'reports/{name}.{token}.failed'; echo x >'fetched/{name}.{token}'"
        )
    wait(lambda: box.sh("find /var/spool/netboot -type f | wc -l").strip() == "0", 20)
    assert box.sh("find /srv/netboot /var/lib/netboot /etc /var/spool/netboot | sort | sha256sum") == before
    seen("nothing is written anywhere; the journal says that a strange report was thrown away")


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
    wait(lambda: "8123" in box.sh("ss -Hltn"), 20)
    return hashlib.sha256(image.read_bytes()).hexdigest()


def provide(box: Box, file: str, digest: str, path: str = "/srv/netboot/http/images") -> tuple[bool, str]:
    given = {"focal": {"url": f"http://127.0.0.1:8123/{file}", "checksum": f"sha256:{digest}"}}
    options = {"path": path, "images": "{{ given | homelab.netboot.images }}"}
    return box.module("boot_images", options, {"given": given})


def message(said: str) -> str:
    found = [
        line.partition(":")[2].strip(" \"',")
        for line in said.splitlines()
        if line.strip().startswith(('"msg"', "msg:"))
    ]
    return " ".join((found or [said])[0].replace("\\n", " ").split())[:230]


@pytest.mark.parametrize(
    ("fault", "told"), [("cut", ""), ("checksum", ""), ("disk full", "Not enough space in")]
)
def test_the_download_of_an_iso_fails(box: Box, seen: Seen, iso: str, fault: str, told: str) -> None:
    before = box.sh("cd /srv/netboot/http/images; find . | sort; readlink focal/current")
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
    assert box.sh("cd /srv/netboot/http/images; find . | sort; readlink focal/current") == before
    if fault == "disk full":
        assert box.sh("find /mnt/full -type f -size +0; umount /mnt/full").strip() == ""
    seen(message(said))


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
