# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that takes anything: many reports at once, during a run, and what are none."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from tests.faults.box import FLEET, OTHERS, PLACE, WRITTEN, Box, Seen, wait
from tests.lab import lan
from tests.lab.server import DISKS

CLIENTS = Path(__file__).with_name("clients.py")


def notes(box: Box) -> str:
    """The notes that nobody has taken yet."""
    return box.sh("find /var/spool/netboot -type f")


def test_two_hundred_machines_report_at_once(box: Box, seen: Seen) -> None:
    box.allowed = set(FLEET)
    tokens = PLACE / "tokens.json"
    tokens.write_text(json.dumps(box.tokens(FLEET)))
    count = box.lan(CLIENTS, "life", box.address, lan.BRIDGE, str(tokens))
    seconds = wait(lambda: box.all_are("installed", FLEET), 60)
    wait(lambda: notes(box) == "", 60)  # each goes when what it says is done
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
    wait(lambda: box.all_are("installed", names), 60)
    box.sh("netboot publish")
    assert box.all_are("installed", names)
    seen(f"nothing; {len(names)} machines reported while it ran, and none of them was armed again")


#: What changes by itself: the program counts what it throws away, and tells what it heard.
STATE = "/var/lib/netboot"
NOTES = (
    *(
        "/var/lib/systemd",
        f"{STATE}/lock",
        f"{STATE}/counts.json",
        f"{STATE}/shown.json",
        f"{STATE}/metrics.",
    ),
    *(f"{STATE}/events/", "/srv/netboot/http/status/"),
)


def test_five_hundred_random_requests_where_reports_are_taken(box: Box, seen: Seen) -> None:
    places = " ".join(("/", *DISKS))
    find = (
        f"find {places} -xdev -newer /run/mark -type f ! {WRITTEN} "
        "! -path '/proc/*' ! -path '/var/log/*' ! -path '/run/*'"
    )
    box.sh("touch /run/mark")
    count = box.lan(CLIENTS, "noise", box.address, "500")
    assert sum(count.values()) == 500
    wait(lambda: notes(box) == "", 60)
    new = box.sh(find).split()
    assert [path for path in new if not path.startswith(NOTES)] == []
    assert count.get("200", 0) == 0
    assert box.sh("systemctl is-active netboot-nginx netboot-reports.path").split() == ["active", "active"]
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
    # all but the status page, which names machines as it hears of them
    places = "/srv/netboot /var/lib/netboot /etc /var/spool/netboot"
    look = f"find {places} -path '*/http/status/*' -o {WRITTEN} -o -print | sort"
    before = box.sh(look)
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
    wait(lambda: notes(box) == "", 60)
    assert box.sh(look) == before
    seen("nothing is written anywhere; the journal says that a strange report was thrown away")
