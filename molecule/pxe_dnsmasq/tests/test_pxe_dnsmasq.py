# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsmasq answers PXE clients, and nobody else."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.servers import PROJECT, Device, Service, ansible_playbook, broken, said


@pytest.fixture
def service(host: Any) -> Service:
    return Service(host, "netboot-dnsmasq")


def test_it_runs_now_and_after_a_restart_of_the_host(host: Any) -> None:
    service = host.service("netboot-dnsmasq")
    assert service.is_running
    assert service.is_enabled


def test_it_holds_its_ports_and_not_that_of_dns(host: Any) -> None:
    sockets = host.check_output("ss -Hlun").splitlines()
    assert {line.split()[3].rpartition(":")[2] for line in sockets} == {"67", "69", "4011"}
    assert not [line for line in sockets if "[" in line.split()[3]], "nothing is open to IPv6"


def test_a_pxe_client_is_offered_a_loader_and_no_address(device: Device) -> None:
    (offer,) = device.discover()
    assert (offer["server"], offer["class"]) == ("192.168.1.50", "PXEClient")
    assert (offer["address"], offer["lease"]) == ("0.0.0.0", None)
    # port 4011 names the loader: who takes it out of the offer alone finds none
    assert (offer["file"], offer["loader"]) == ("", "lpxelinux.0")


def test_a_machine_that_asks_for_plain_pxelinux_is_offered_it(device: Device) -> None:
    (offer,) = device.discover("--mac", "f4:4d:30:60:64:6a")
    assert offer["loader"] == "pxelinux.0"


def test_the_boot_rom_of_a_raspberry_pi_is_told_to_go_on_and_fetches_from_its_folder(
    host: Any, device: Device
) -> None:
    """It wants a menu with an entry of this very text, and no file's name; public captures show the same bytes."""
    (offer,) = device.discover("--pi", "--mac", "dc:a6:32:0a:ef:79")
    assert (offer["class"], offer["address"], offer["file"]) == ("PXEClient", "0.0.0.0", "")
    text = b"Raspberry Pi Boot"
    menu = b"\x06\x01\x03\x0a\x04\x00PXE" + bytes([9, 3 + len(text), 0, 0, len(text)]) + text + b"\xff"
    assert bytes.fromhex(offer["menu"]) == menu
    (other,) = device.discover("--pi", "--mac", "f4:4d:30:60:64:69")
    assert b"homelab.netboot" in bytes.fromhex(other["menu"]), "another machine's firmware is no boot ROM"
    folder = "/srv/netboot/tftp/7efcf632"
    host.run_expect([0], f"mkdir -p {folder} && echo enable_gic=1 >{folder}/config.txt")
    assert device.tftp("7efcf632/config.txt").stdout == "enable_gic=1\n"
    assert "not found" in device.tftp("7efcf632/recover4.elf").stderr.lower()


def test_a_client_that_does_not_boot_is_left_to_the_router(device: Device) -> None:
    assert device.discover("--plain") == []


def test_tftp_serves_its_folder_and_nothing_above_it(host: Any, device: Device) -> None:
    host.run_expect([0], "echo hello >/srv/netboot/tftp/greeting")
    assert device.tftp("greeting").stdout == "hello\n"
    assert device.tftp("../../../etc/hostname").returncode != 0


def test_tftp_serves_only_what_everybody_may_read(host: Any, device: Device) -> None:
    host.run_expect([0], "install -m 0640 -g www-data /etc/hostname /srv/netboot/tftp/closed")
    assert device.tftp("closed").returncode != 0
    host.run_expect([0], "chmod 0644 /srv/netboot/tftp/closed")
    assert device.tftp("closed").returncode == 0


GIVE_UP = """
import socket, time
def ask(name):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.sendto(b"\\0\\1" + name + b"\\0octet\\0", ("192.168.1.50", 69))
    return client
others = [ask(b"long") for dummy in range(100)]
time.sleep(1)
client = ask(b"long")
client.settimeout(5)
print(len(client.recv(1000)))
"""


def test_transfers_that_were_given_up_hold_nobody_up(host: Any, device: Device) -> None:
    host.run_expect([0], "head -c 100000 /dev/zero >/srv/netboot/tftp/long")
    assert device.run("python3", "-c", GIVE_UP).stdout == "516\n"


def test_tftp_takes_no_files(host: Any, device: Device) -> None:
    done = device.run("busybox", "tftp", "-p", "-l", "/etc/hostname", "-r", "uploaded", "192.168.1.50")
    assert done.returncode != 0
    assert "server error" in done.stderr, "refused, not merely unanswered"
    assert not host.file("/srv/netboot/tftp/uploaded").exists


def test_it_is_never_root_and_has_two_capabilities(host: Any, service: Service) -> None:
    status = service.status()
    user = host.user("dnsmasq")
    assert set(status["Uid"].split()) == {str(user.uid)} != {"0"}
    assert (
        int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 1 << 10 | 1 << 12
    )  # BIND_SERVICE, NET_ADMIN
    assert status["NoNewPrivs"] == "1"
    assert user.shell.endswith("/nologin")
    assert host.check_output("pgrep -x dnsmasq").split() == [service.pid], "no helper is left as root"


def test_its_exposure_is_low(service: Service) -> None:
    assert service.exposure() <= 2.0


def test_it_can_write_nothing_that_is_served_and_sees_no_home(service: Service) -> None:
    assert "Read-only file system" in service.inside("touch /srv/netboot/tftp/x").stderr
    assert "Read-only file system" in service.inside("touch /var/lib/misc/x").stderr
    assert service.inside("ls -A /root /home").stdout.split() == ["/home:", "/root:"]
    as_itself = service.inside("setpriv --reuid dnsmasq --regid nogroup --clear-groups cat /etc/shadow")
    assert "Permission denied" in as_itself.stderr
    assert "Read-only file system" in service.inside("touch /run/x").stderr


def test_nothing_of_the_distribution_s_dnsmasq_is_there(host: Any) -> None:
    assert not host.service("dnsmasq").exists
    assert not host.file("/etc/dnsmasq.d").exists


def test_it_takes_up_its_address_when_that_comes_later(host: Any, device: Device) -> None:
    host.run_expect([0], "ip -4 address flush dev lan0")
    host.run_expect([0], "systemctl restart netboot-dnsmasq")
    assert device.tftp("greeting").returncode != 0
    host.run_expect([0], "ip address add 192.168.1.50/24 dev lan0")
    deadline = time.monotonic() + 60
    while device.tftp("greeting").stdout != "hello\n":
        assert time.monotonic() < deadline, "no TFTP within 60 s after the address came"
    assert len(device.discover()) == 1


def test_it_comes_back_when_it_is_killed(host: Any, device: Device) -> None:
    before = host.service("netboot-dnsmasq").systemd_properties["MainPID"]
    host.run_expect([0], f"kill -KILL {before}")
    deadline = time.monotonic() + 60
    while not device.discover("--seconds", "1"):
        assert time.monotonic() < deadline, "no offer within 60 s after the kill"
    assert host.service("netboot-dnsmasq").systemd_properties["MainPID"] != before


def test_a_run_fails_with_its_last_words_when_it_does_not_answer(host: Any) -> None:
    playbook = PROJECT / "molecule/pxe_dnsmasq/converge.yml"
    with broken(host, "netboot-dnsmasq", "the disk is gone"):
        done = ansible_playbook(host, playbook)
    assert done.returncode != 0
    assert "netboot-dnsmasq.service does not answer" in said(done)
    assert "no offer for PXE from 192.168.1.50 on lan0; answers came from 192.168.1.1" in said(done)
    assert "NRestarts=" in said(done)
    assert "the disk is gone" in said(done)
    assert ansible_playbook(host, playbook).returncode == 0
