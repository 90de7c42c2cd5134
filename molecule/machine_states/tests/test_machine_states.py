# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's whole life, by what machines and people do: HTTP requests, playbooks, and time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import PROJECT, Device

SEEDS = "/srv/netboot/http/machines"
LIVE = "/run/netboot"
EARLIER = """
import json, sys
path = "/var/lib/netboot/machines/f4-4d-30-60-64-69.json"
state = json.load(open(path))
state["clock"]["since_boot"] -= float(sys.argv[1])
json.dump(state, open(path, "w"))
"""
ENTRY = "/srv/netboot/tftp/pxelinux.cfg/01-f4-4d-30-60-64-69"


class Life:
    """Machine nuc1, in the eyes of its server."""

    def __init__(self, host: Any, device: Device) -> None:
        self.host, self.device = host, device
        self.suite = host.backend.name.rpartition("-")[2]
        self.place = PROJECT / f"build/lab/servers/machine_states-{self.suite}"

    def start(self, name: str, *options: str) -> subprocess.Popen[str]:
        """Start one of the playbooks on this server only."""
        # of its own, as the scenarios' inventory knows both servers, and their ways by inventory_hostname
        machines = {f"nuc{n}": {"netboot_mac": f"f4:4d:30:60:64:{n + 0x68:02x}"} for n in (1, 2, 3)}
        inventory = self.place / "inventory.json"
        groups = {
            "netboot_servers": {"hosts": {self.suite: json.loads((self.place / "vars.json").read_text())}},
            "netboot_machines": {"hosts": machines},
        }
        inventory.write_text(json.dumps(groups))
        argv = ["ansible-playbook", name, "-i", str(inventory), *options]
        return subprocess.Popen(
            argv, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def playbook(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run one of them; what it says is in one line."""
        with self.start(name, *options) as running:
            told, dummy = running.communicate()
        return subprocess.CompletedProcess(running.args, running.returncode, " ".join(told.split()))

    def row(self) -> dict[str, Any]:
        rows = json.loads(self.host.check_output("netboot status --json nuc1"))
        found: dict[str, Any] = rows[0]
        return found

    def wait(self, state: str) -> None:
        deadline = time.monotonic() + 60
        while self.row()["state"] != state:
            assert time.monotonic() < deadline, f"not {state} but {self.row()}"
            time.sleep(0.2)

    @property
    def token(self) -> str:
        (token,) = self.host.file(f"{SEEDS}/nuc1").listdir()
        return str(token)

    def fetch(self, token: str, name: str = "user-data") -> tuple[str, str]:
        head, dummy, body = self.device.http(f"/machines/nuc1/{token}/{name}").stdout.partition("\n\n")
        return head.split()[1], body

    def carry(self, text: str, patience: int = 60) -> dict[str, Any]:
        """What cloud-init does with the write_files of user-data, in a folder of ours; the answers for the installer.

        The programs run on this very computer, which must not be started anew; its consoles are not the installer's.
        """
        user_data = yaml.safe_load(text)
        (self.place / "live/reason").unlink(missing_ok=True)
        for file in user_data["write_files"]:
            content = file["content"].replace('"systemctl", "reboot"', '"true"')
            content = content.replace('"/dev/" + name', '"/nowhere/" + name')
            content = content.replace('"patience": 90', f'"patience": {patience}')
            assert "systemctl" not in content
            path = self.place / "live" / file["path"].removeprefix(f"{LIVE}/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        return dict(user_data["autoinstall"])

    def sh(self, command: str) -> subprocess.CompletedProcess[str]:
        """What the installer does with a command: sh -c, in the boot network."""
        return self.device.run("sh", "-c", command.replace(LIVE, str(self.place / "live")))

    def begin(self, text: str, patience: int = 60) -> int:
        """What the installer does first of all, with the user-data that it has; the exit status."""
        return self.sh(self.carry(text, patience)["early-commands"][0]).returncode

    def installs(self) -> bool:
        return "KERNEL" in self.host.file(ENTRY).content_string


@pytest.fixture
def life(host: Any, device: Device) -> Life:
    return Life(host, device)


def test_machines_begin_armed_but_for_those_that_are_never_installed(host: Any) -> None:
    rows = {row["machine"]: row["state"] for row in json.loads(host.check_output("netboot status --json"))}
    assert (rows["nuc2"], rows["nuc3"]) == ("armed", "local")


def test_what_is_armed_is_handed_out_to_whoever_knows_the_token(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    assert f"/machines/nuc1/{life.token}/ " in host.file(ENTRY).content_string
    assert host.file(f"{SEEDS}/nuc1").mode == 0o750
    seed = host.file(f"{SEEDS}/nuc1/{life.token}/user-data")
    assert (seed.user, seed.group, seed.mode) == ("root", "www-data", 0o640)
    assert host.run(f"runuser -u nobody -- cat {seed.path}").rc != 0


def test_armed_fetched_installing_reported_installed_and_never_again(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    token = life.token
    for name in ("network-config", "meta-data"):
        assert life.fetch(token, name)[0] == "200"
    assert life.row()["state"] == "armed"
    status, text = life.fetch(token)
    assert status == "200"
    life.wait("installing")
    assert not life.installs()
    assert life.fetch(token)[0] == "200"  # cloud-init reads it more than once
    answers = life.carry(text)
    assert life.begin(text) == 0
    assert life.sh(answers["late-commands"][-1]).returncode == 0
    life.wait("installed")
    assert life.fetch(token)[0] == "404"
    assert not host.file(f"{SEEDS}/nuc1").exists
    # told once more, and by a machine that does not know the token: nothing changes
    life.sh(answers["late-commands"][-1])
    life.carry(text.replace(token, "0" * 32))
    life.sh(answers["error-commands"][-1])
    time.sleep(2)
    assert life.row()["state"] == "installed"
    assert life.row()["fetched"].endswith("/reports/nuc1.-.failed")
    host.run_expect([0], "netboot publish")
    assert life.row()["state"] == "installed"
    assert not life.installs()


def test_what_a_machine_did_is_kept_and_told(life: Life, host: Any) -> None:
    # by the service, which sees little of the server
    host.run_expect([0], "systemctl start netboot-expire.service")
    story = host.file("/var/lib/netboot/events/machines/f4-4d-30-60-64-69.json")
    assert story.mode == 0o600
    assert '"/reports/nuc1.-.installed"' in story.content_string
    assert {"armed", "installing", "installed"} <= {event[2] for event in json.loads(story.content_string)}
    told = life.playbook("homelab.netboot.why", "-l", "nuc1")
    assert told.returncode == 0, told.stdout
    assert "reports that it is installed" in told.stdout
    assert "All is well: It is installed; it reported" in told.stdout
    (verdict,) = json.loads(host.check_output("netboot why --json f4:4d:30:60:64:69"))
    assert (verdict["machine"], verdict["verdict"], verdict["missing"]) == ("nuc1", "fine", "")
    refused = host.run("netboot why nobody")
    assert refused.rc == 1
    assert "no such machine: nobody" in refused.stderr


def test_the_playbooks_ask_and_arm_and_disarm_and_tell(life: Life) -> None:
    refused = life.playbook("homelab.netboot.arm", "-l", "nuc1", "-e", "confirm=no")
    assert refused.returncode != 0
    assert "Nothing was armed" in refused.stdout
    assert life.row()["state"] == "installed"
    armed = life.playbook("homelab.netboot.arm", "-l", "nuc1", "-e", "confirm=yes")
    assert armed.returncode == 0, armed.stdout
    assert life.row()["state"] == "armed"
    assert life.installs()
    assert life.token not in armed.stdout
    told = life.playbook("homelab.netboot.status", "-l", "nuc1:nuc3")
    assert "nuc1 f4:4d:30:60:64:69 focal armed" in told.stdout
    assert "nuc3 f4:4d:30:60:64:6b focal local" in told.stdout
    assert "nuc2" not in told.stdout
    never = life.playbook("homelab.netboot.arm", "-l", "nuc3", "-e", "confirm=yes")
    assert never.returncode != 0
    assert "netboot_install is never" in never.stdout
    assert life.playbook("homelab.netboot.disarm", "-l", "nuc1").returncode == 0
    assert life.row()["state"] == "local"
    assert not life.installs()


def test_a_failure_is_told_with_its_reason_and_its_log(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    dummy, text = life.fetch(life.token)
    command = life.carry(text)["error-commands"][-1]
    assert life.sh(command).returncode == 0
    life.wait("failed")
    assert life.row()["reason"] == "the installer failed"
    log = host.file("/var/lib/netboot/logs/nuc1.log")
    assert log.mode == 0o600
    assert not life.installs()


def test_a_failed_machine_is_watched_no_longer_and_the_run_says_why(life: Life) -> None:
    assert life.row()["state"] == "failed"
    told = life.playbook("homelab.netboot.watch", "-l", "nuc1")
    assert told.returncode != 0
    assert "Why: The installer failed." in told.stdout.replace("\\n", " ")


def test_what_a_machine_does_is_shown_while_it_does_it(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    told: list[str] = []
    with life.start("homelab.netboot.watch", "-l", "nuc1", "-e", "pause=1 patience=120") as watch:
        assert watch.stdout is not None

        def wait_for(part: str) -> None:
            for line in watch.stdout or ():
                told.append(line.strip())
                if part in line:
                    return
            raise AssertionError(f"never said {part!r} but {told}")

        wait_for("  armed  ")
        dummy, text = life.fetch(life.token)
        wait_for("/machines/nuc1/-/user-data: 200")
        answers = life.carry(text)
        assert life.begin(text) == 0
        wait_for("  installing  ")
        life.sh(answers["late-commands"][-1])
        wait_for("netboot: installed")
        assert watch.wait(60) == 0
        told += [line.strip() for line in watch.stdout]
    assert any(line.startswith("nuc1  [#############]  installed") for line in told), told
    assert life.playbook("homelab.netboot.watch", "-l", "nuc2", "-e", "patience=1").returncode != 0


def test_user_data_is_not_handed_out_for_ever(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    token = life.token
    life.fetch(token)
    life.wait("installing")
    # as if it had begun so long ago: a container may not pretend that its host has been up for longer
    host.run_expect([0], f"python3 -c '{EARLIER}' 14000 && netboot expire")
    assert life.row()["state"] == "installing"
    host.run_expect([0], "netboot arm nuc1")
    token = life.token
    life.fetch(token)
    life.wait("installing")
    host.run_expect([0], f"python3 -c '{EARLIER}' 14500 && netboot expire")
    assert life.row()["state"] == "failed"
    assert "no report within 4 hours" in life.row()["reason"]
    assert life.fetch(token)[0] == "404"
    url = f"http://192.168.1.50/reports/nuc1.{token}.installed"
    life.sh(f"curl -s -X PUT -d x {url}")  # late, but right
    life.wait("installed")


CALLS_HOME = "DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends cloud-init"


class Installed:
    """The system of nuc1: the server's files and its cloud-init, which speaks from another place in the network."""

    def __init__(self, life: Life) -> None:
        self.life = life
        life.host.run_expect([0], f"{CALLS_HOME} >/dev/null")
        found = ["podman", "inspect", "--format", "{{.State.Pid}}", life.host.backend.name]
        pid = subprocess.run(found, capture_output=True, text=True, check=True).stdout.strip()
        self.enter = ["nsenter", f"--target={pid}", "--mount", "--pid", "--uts"]

    def configure(self, user_data: dict[str, Any]) -> None:
        """What Subiquity leaves there (_cloud_init_files in its models/subiquity.py); the server keeps its network."""
        told = {"growpart": {"mode": "off"}, "resize_rootfs": False, **user_data}
        none = {"userdata_raw": "#cloud-config\n" + yaml.safe_dump(told), "metadata": {"instance-id": "nuc1"}}
        spared = {"cloud_init_modules": [], "network": {"config": "disabled"}}
        text = yaml.safe_dump({"datasource_list": ["None"], "datasource": {"None": none}, **spared})
        place = self.life.place / "99-installer.cfg"
        place.write_text(text)
        argv = ["podman", "cp", str(place), f"{self.life.host.backend.name}:/etc/cloud/cloud.cfg.d/"]
        subprocess.run(argv, check=True)
        for step in ("clean", "init"):
            assert self.life.device.run(*self.enter, "cloud-init", step).returncode == 0

    def phone_home(self, *options: str) -> None:
        """Run that one module, as cloud-init does it at the end of the first start."""
        module = ["cloud-init", "single", "--name", "phone_home", *options]
        assert self.life.device.run(*self.enter, *module).returncode == 0


def test_an_installed_system_calls_home_by_its_own_cloud_init_once(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    token = life.token
    dummy, text = life.fetch(token)
    answers = life.carry(text)
    assert life.begin(text) == 0
    system = Installed(life)
    system.configure(answers["user-data"])
    life.sh(answers["late-commands"][-1])
    life.wait("installed")
    assert "not heard of" not in host.check_output("netboot why nuc1")
    system.phone_home()
    life.wait("up")
    row = life.row()
    public = host.check_output("cat /etc/ssh/ssh_host_*_key.pub").splitlines()
    assert len(public) > 1
    assert sorted(row["host_keys"]) == sorted(" ".join(line.split()[:2]) for line in public)
    assert row["address"] == "192.168.1.1"
    assert "nuc1: up at 192.168.1.1" in host.check_output("journalctl -u netboot-reports --no-pager")
    (verdict,) = json.loads(host.check_output("netboot why --json nuc1"))
    assert verdict["cause"].startswith("It is up at 192.168.1.1, since ")
    # once more, which is late: whoever has the token now changes nothing
    system.phone_home("--frequency", "always")
    deadline = time.monotonic() + 60
    thrown = "nuc1: a report 'up' with a wrong or old token was thrown away"
    while thrown not in host.check_output("journalctl -u netboot-reports --no-pager"):
        assert time.monotonic() < deadline, "it was not heard of"
        time.sleep(0.2)
    assert life.row() == {**row, "fetched": life.row()["fetched"]}
    assert not life.installs()
    host.run_expect([0], "netboot publish")
    assert life.row()["state"] == "up"


def test_no_token_is_in_a_log_or_in_what_systemd_keeps(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    token = life.token
    for path in (f"/machines/nuc1/{token}/user-data", f"/machines/nuc1/{token}/nothing"):
        life.device.http(path)
    life.device.http(f"/reports/nuc1.{token}.failed", "-X", "PUT", "-d", "reason")
    life.wait("failed")
    assert host.run(f"grep -r {token} /var/log/netboot").rc == 1
    assert token not in host.check_output("journalctl --no-pager")


def test_its_units_run_now_and_after_a_restart_of_the_host(host: Any) -> None:
    # a dozen times at once, as somebody does who tries things out; systemd's own limit is five
    host.run_expect(
        [0], "for turn in 1 2 3 4 5 6 7 8 9 10 11 12; do systemctl restart netboot.target || exit; done"
    )
    units = "netboot.target netboot-reports.path netboot-expire.timer netboot-page.timer"
    assert host.check_output(f"systemctl is-active {units}").split() == ["active"] * 4
    assert host.run("systemctl is-enabled netboot.target").rc == 0


@pytest.mark.parametrize("unit", ["netboot-reports.path", "netboot-expire.timer"])
def test_when_one_unit_ends_the_next_run_starts_all_again(host: Any, unit: str) -> None:
    host.run_expect([0], f"systemctl stop {unit}")
    assert host.run("systemctl is-active netboot.target").rc != 0
    host.run_expect([0], "systemctl start netboot.target")
    assert host.run(f"systemctl is-active {unit}").rc == 0


def test_its_services_are_confined_and_work(host: Any) -> None:
    for name in ("publish", "reports", "expire", "page"):
        host.run_expect([0], f"systemctl start netboot-{name}.service")
        told = host.check_output(f"systemd-analyze security --no-pager netboot-{name}.service").splitlines()[
            -1
        ]
        assert float(told.split("exposure level for netboot-" + name + ".service:")[1].split()[0]) < 3


def test_it_is_one_program_with_help(host: Any) -> None:
    assert "publish" in host.check_output("netboot --help")
    assert host.run("netboot arm nobody").rc == 1


PAGE = "/srv/netboot/http/status"
WRITTEN = f"find {PAGE} /var/lib/netboot -type f -printf '%p %i %T@\\n' | grep -v /events/lock | sort"


def test_the_status_page_tells_within_a_minute_what_a_machine_does(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    token = life.token
    life.fetch(token, "network-config")
    deadline = time.monotonic() + 60
    story = f"{PAGE}/machines/nuc1.html"
    while (
        "network-config"
        not in host.file(story).content_string.rpartition("<summary")[2].partition("</ol>")[0]
    ):
        assert time.monotonic() < deadline, "nothing of it within a minute"
        time.sleep(1)
    answer = life.device.http("/status/machines/nuc1.html").stdout
    assert "200 OK" in answer
    assert "/machines/nuc1/-/network-config" in answer
    everything = host.check_output(f"cat {PAGE}/*.html {PAGE}/*/*.html")
    assert token not in everything
    assert "/machines/" in everything
    own = host.check_output("cat /sys/class/net/*/address").split()
    life.device.http("/status/")
    assert not [mac for mac in own if mac in host.file(f"{PAGE}/index.html").content_string]
    host.run_expect([0], "netboot disarm nuc1")


def test_any_playbook_can_know_what_machines_do(life: Life, host: Any, tmp_path: Path) -> None:
    source = tmp_path / "netboot.yml"
    cache = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}
    plugin = {"plugin": "homelab.netboot.machines", "servers": ["http://192.168.1.50"], "strict": True}
    source.write_text(json.dumps({**plugin, **cache}))

    def asked(*options: str) -> str:
        done = life.device.run("ansible-inventory", "-i", str(source), *options)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    host.run_expect([0], "netboot arm nuc1; systemctl start netboot-page.service")
    graph = asked("--graph")
    assert " ".join(graph.replace("|", "").replace("--", "").split()).endswith(
        "@netboot_told: nuc1 nuc2 nuc3 @netboot_state_armed: nuc1 nuc2 @netboot_state_local: nuc3"
    )
    told = json.loads(asked("--host", "nuc1"))["netboot_told"]
    assert life.row()["since"] in str(told["since"])
    assert "f4:4d:30:60:64:69" in str(told["mac"])
    host.run_expect(
        [0], "netboot disarm nuc1; systemctl start netboot-page.service; systemctl stop netboot-nginx"
    )
    assert asked("--graph") == graph
    host.run_expect([0], "systemctl start netboot-nginx")
    assert "@netboot_state_local:\n  |  |--nuc1" in asked("--graph", "--flush-cache")


def test_when_nothing_happens_nothing_is_written_not_even_to_the_journal(host: Any) -> None:
    host.run_expect([0], "systemctl start netboot-page.service")
    cursor = host.check_output("journalctl -n 0 --show-cursor | tail -n 1 | cut -d' ' -f3")
    begin = host.check_output(WRITTEN)
    host.run_expect([0], "systemctl start netboot-page.service")
    host.run_expect([0], "systemctl start netboot-page.service")
    assert host.check_output(WRITTEN) == begin
    assert "netboot-page" not in host.check_output(f"journalctl --after-cursor '{cursor}' --no-pager")


def test_what_is_in_the_way_of_the_page_is_in_the_journal(host: Any) -> None:
    host.run_expect([0], f"rm {PAGE}/index.html && mkdir {PAGE}/index.html")
    assert host.run("systemctl start netboot-page.service").rc != 0
    assert "index.html: Is a directory" in host.check_output(
        "journalctl -u netboot-page.service -n 20 --no-pager"
    )
    host.run_expect([0], f"rmdir {PAGE}/index.html; systemctl start netboot-page.service")
    assert "nuc1" in host.file(f"{PAGE}/index.html").content_string


def test_prometheus_finds_no_fault_in_the_metrics(host: Any) -> None:
    host.run_expect(
        [0], "cd /var/tmp && apt-get -qq download promtool && dpkg-deb -x promtool_*.deb promtool"
    )
    promtool = "/var/tmp/promtool/usr/bin/promtool check metrics"
    checked = host.run(f"{promtool} </var/lib/netboot/metrics.prom")
    assert (checked.rc, checked.stdout, checked.stderr) == (0, "", "")
    assert host.run(f"echo 'wrong_total{{ 1' | {promtool}").rc != 0
    text = host.file("/var/lib/netboot/metrics.prom").content_string
    assert 'homelab_netboot_machine_state{machine="nuc3",state="local"} 1' in text
    told = json.loads(host.file("/var/lib/netboot/metrics.json").content_string)
    assert len(told["homelab_netboot_machine_info"]) == 3
    (ended,) = (
        one["value"]
        for one in told["homelab_netboot_installations_total"]
        if one["labels"] == {"outcome": "installed"}
    )
    assert ended >= 1


def test_a_machine_that_is_off_is_sent_wake_on_lan(life: Life, host: Any) -> None:
    listen = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20); "
        "s.bind(('', 9)); print('ready', flush=True); print(s.recv(999).hex())"
    )
    argv = [sys.executable, "-m", "tests.lab", "lan", "exec", life.device.name, "--", "python3", "-c", listen]
    with subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == "ready\n"
        host.run_expect([0], "netboot wake nuc1")
        assert listener.stdout.readline().strip() == "ff" * 6 + "f44d30606469" * 16


def test_what_the_server_does_not_note_does_not_begin(life: Life, host: Any) -> None:
    host.run_expect([0], "netboot arm nuc1")
    token = life.token
    host.run_expect([0], "systemctl stop netboot-reports.path; systemctl start netboot-nginx")
    dummy, text = life.fetch(token)
    assert life.begin(text, 3) == 1  # the report was taken, and nobody has read it
    assert "did not note that the installation begins" in (life.place / "live/reason").read_text()
    (life.place / "live/reason").unlink()
    host.run_expect([0], "systemctl start netboot.target")
    assert life.begin(text) == 0
    assert life.row()["state"] == "installing"
    host.run_expect([0], "netboot disarm nuc1")


def test_what_is_handed_out_ends_with_the_program_that_would_withdraw_it(life: Life, host: Any) -> None:
    ours = "netboot-nginx netboot-reports.path netboot-expire.timer"
    host.run_expect([0], "systemctl stop netboot.target")
    assert "active" not in host.run(f"systemctl is-active {ours}").stdout.split()
    assert life.device.http("/grub/default.cfg").returncode != 0
    host.run_expect([0], "systemctl start netboot.target")
    assert host.check_output(f"systemctl is-active {ours}").split() == ["active"] * 3
