# SPDX-License-Identifier: GPL-3.0-or-later
"""Services crash, the clock jumps, a state file is damaged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.faults.box import OTHERS, Box, Seen, wait

PROBE = Path(__file__).parents[1] / "pxe_probe.py"
EARLIER = """
import json, sys
path, seconds = sys.argv[1], float(sys.argv[2])
state = json.load(open(path))
state["clock"]["since_boot"] -= seconds
json.dump(state, open(path, "w"))
"""


def test_dnsmasq_and_nginx_crash(box: Box, seen: Seen) -> None:
    both = "netboot-nginx netboot-dnsmasq"
    box.sh(f"systemctl reset-failed; systemctl start {both}; systemctl kill -s KILL {both}")

    def answers() -> bool:
        probe = ["ip", "netns", "exec", box.network.namespace, "python3", str(PROBE), "--seconds", "1"]
        offers = subprocess.run(probe, capture_output=True, text=True, check=False).stdout
        return box.http("/grub/default.cfg")[0] == "200" and "lpxelinux.0" in offers

    for unit in both.split():  # a worker that is about to end may answer until then
        told = f"journalctl -u {unit} --no-pager"
        wait(lambda told=told: "Failed with result 'signal'" in box.sh(told), 60)  # type: ignore[misc]
    seconds = wait(answers, 60)
    seen(
        f"machines that ask in those seconds ask again; both answer after {seconds:.0f} s (systemd started them again)"
    )


def test_the_clock_jumps_by_ten_years(box: Box, seen: Seen) -> None:
    (name,) = OTHERS[20:21]
    box.allowed = {name}
    token = box.tokens([name])[name]
    assert box.http(f"/machines/{name}/{token}/user-data")[0] == "200"
    wait(lambda: box.states()[name] == "installing", 60)
    box.sh("apt-get -qq install --yes faketime >/dev/null")
    for jump in ("+10 years", "10 years ago"):
        told = box.sh(f"FAKETIME_DONT_FAKE_MONOTONIC=1 faketime '{jump}' sh -c 'date +%Y; netboot expire'")
        assert told.split()[0] in ("2016", "2036")
        assert box.states()[name] == "installing"
        assert box.http(f"/machines/{name}/{token}/meta-data")[0] == "200"
    # as if it had begun four hours ago: a container may not pretend that its host has been up for longer
    box.sh(f"python3 - {box.file(name)} 14500 <<'EOF'\n{EARLIER}\nEOF\nnetboot expire")
    assert box.states()[name] == "failed"
    assert box.http(f"/machines/{name}/{token}/meta-data")[0] == "404"
    seen("nothing; a seed is handed out for four hours of the server's own, whatever its clock says")


def test_a_package_is_cut_off_at_the_end_of_its_unpacking(box: Box, seen: Seen) -> None:
    """All its files are there, and dpkg has not noted that: a moment that few power cuts hit."""
    status = "/var/lib/dpkg/status"
    box.sh(f"sed -i '/^Package: ipxe$/,/^$/s/^Status: .*/Status: install reinstreq unpacked/' {status}")
    assert "very bad inconsistent state" in box.sh("dpkg --configure -a", check=False)
    assert "failed=0" in box.site("unpacked.log")
    assert box.sh("dpkg --audit; dpkg-query --show --showformat='${Status}' ipxe") == "install ok installed"
    seen("nothing; the next run has it unpacked anew")


@pytest.mark.parametrize("content", ["half of it", "zeros"])
def test_a_state_file_is_damaged(box: Box, seen: Seen, content: str) -> None:
    name = "n39" if content == "zeros" else "n38"
    box.arm([name])
    box.known = box.states()
    box.allowed = {name}
    file = box.file(name)
    box.sh(f"truncate -s {'0' if content == 'zeros' else '60'} {file}; truncate -s 200 {file}")
    box.sh("netboot publish")
    row = json.loads(box.sh(f"netboot status --json {name}"))[0]
    assert row["state"] == "failed"
    assert box.sh(f"ls {file}.damaged").strip().endswith(".damaged")
    seen(f"status: failed: {row['reason']}")
