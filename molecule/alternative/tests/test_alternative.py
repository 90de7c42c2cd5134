# SPDX-License-Identifier: GPL-3.0-or-later
"""Every setting that was changed has its effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.servers import Device, Service


def test_loaders_follow_the_machines(device: Device) -> None:
    assert [offer["loader"] for offer in device.discover("--mac", "52:54:00:12:34:56")] == ["pxelinux.0"]
    assert [offer["loader"] for offer in device.discover()] == ["lpxelinux.0"]


def test_a_machine_with_a_menu_finds_all_that_it_names(device: Device) -> None:
    menu = device.tftp("pxelinux.cfg/01-52-54-00-12-34-56").stdout
    assert "UI menu.c32" in menu
    assert "LABEL rescue" in menu
    assert "IPAPPEND" not in menu
    for name in ("menu.c32", "libutil.c32"):
        assert device.tftp(name).returncode == 0


def test_ipxe_gets_a_script_whatever_it_asks_for(host: Any, device: Device) -> None:
    assert host.file("/data/boot/tftp/efi").listdir() == ["ipxe.efi"]
    for name in ("boot", "default", "machines/52-54-00-12-34-56", "machines/00-00-00-00-00-01"):
        assert "#!ipxe" in device.http(f"/ipxe/{name}.ipxe", port=8080).stdout


@pytest.fixture
def version(host: Any) -> str:
    """A version's name is the beginning of the ISO's checksum."""
    return str(host.file("/var/tmp/test.iso").sha256sum[:12])


def test_what_is_not_named_is_installed_and_who_is_spared_is_not(device: Device, version: str) -> None:
    kernel = f"KERNEL http://192.168.1.50:8080/images/other/{version}-hwe/vmlinuz"
    assert kernel in device.tftp("pxelinux.cfg/default").stdout
    assert "LOCALBOOT" in device.tftp("pxelinux.cfg/01-52-54-00-12-34-57").stdout
    assert (
        f"KERNEL images/other/{version}-hwe/vmlinuz"
        in device.tftp("pxelinux.cfg/01-52-54-00-12-34-56").stdout
    )


def test_the_newer_kernel_is_served_at_the_other_port_with_its_own_initrd(
    device: Device, version: str
) -> None:
    folder = f"images/other/{version}-hwe"
    assert device.http(f"/{folder}/vmlinuz", port=8080).stdout.endswith("hwe " * 10)
    assert device.http(f"/{folder}/initrd", port=8080).stdout.endswith("hwe initrd " * 10)
    assert device.tftp(f"{folder}/vmlinuz").stdout == "hwe " * 10


def test_an_image_that_is_downloaded_arrives_whole_with_its_kernel(
    host: Any, device: Device, version: str
) -> None:
    image = host.file(f"/data/boot/http/images/fetched/{version}/fetched.iso")
    assert image.sha256sum == host.file("/var/tmp/test.iso").sha256sum
    assert device.http(f"/images/fetched/{version}/vmlinuz", port=8080).stdout.endswith("kernel " * 10)


def user_data(host: Any, machine: str) -> Any:
    (token,) = host.file(f"/data/boot/http/machines/{machine}").listdir()
    return host.file(f"/data/boot/http/machines/{machine}/{token}/user-data")


def test_seeds_belong_to_the_web_server_and_say_what_was_given(host: Any) -> None:
    odd = user_data(host, "odd")
    assert odd.group == "www-data"
    told = yaml.safe_load(odd.content_string)
    user = told["autoinstall"]["user-data"]["users"][0]
    assert (user["name"], user["passwd"][:12], user["lock_passwd"]) == ("me", "$6$aaaaaaaa$", False)
    assert '"http://192.168.1.50:8080/reports/odd.' in told["write_files"][0]["content"]
    whatever = yaml.safe_load(user_data(host, "whatever").content_string)["autoinstall"]
    assert whatever["identity"]["username"] == "y"
    (key,) = whatever["ssh"]["authorized-keys"]
    assert key.startswith(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"[:40]
    )


def test_states_and_reports_are_at_the_other_places(host: Any, device: Device) -> None:
    states = {row["machine"]: row["state"] for row in json.loads(host.check_output("netboot status --json"))}
    assert states == {"odd": "armed", "whatever": "armed", "spared": "local"}
    assert json.loads(host.file("/etc/netboot/netboot.json").content_string)["hours"] == 0.5
    path = "/reports/odd." + "0" * 32 + ".failed"
    assert "413" in device.http(path, "-X", "PUT", "-d", "x" * 2000, port=8080).stdout.splitlines()[0]
    assert "201" in device.http(path, "-X", "PUT", "-d", "x", port=8080).stdout.splitlines()[0]


def test_metrics_are_where_they_are_wanted_and_there_is_no_page(host: Any, device: Device) -> None:
    host.run_expect([0], "rm /data/netboot.prom; systemctl start netboot-page.service")
    assert (
        'homelab_netboot_machine_state{machine="odd",state="armed"} 1'
        in host.file("/data/netboot.prom").content_string
    )
    assert host.run("runuser -u nobody -- cat /data/netboot.prom").rc == 0
    assert not host.file("/data/state/metrics.prom").exists
    assert not host.file("/data/boot/http/status").exists
    for path in ("/status", "/status/", "/status/index.html", "/status/machines.json"):
        assert "404" in device.http(path, port=8080).stdout.splitlines()[0]


def test_dhcp_is_not_logged(host: Any, device: Device) -> None:
    assert device.discover()
    assert "sent size" not in host.check_output("journalctl -u netboot-dnsmasq --no-pager")


def test_nothing_lies_at_the_default_place(host: Any) -> None:
    for place in ("/srv/netboot", "/var/lib/netboot", "/var/spool/netboot"):
        assert not host.file(place).exists


def test_the_other_folders_are_as_closed_to_nginx(host: Any) -> None:
    nginx = Service(host, "netboot-nginx")
    assert nginx.inside("touch /data/spool/x").returncode == 0
    assert nginx.inside("touch /data/boot/http/x").returncode != 0


MIRROR = "/run/a-mirror"


@pytest.fixture
def mirror(host: Any) -> Iterator[str]:
    """A mirror in the server itself, which also.lan leads to, by a name server that the host's resolv.conf names."""
    host.run_expect([0], f"mkdir -p {MIRROR}/pool; echo a package >{MIRROR}/pool/x.deb")
    host.run_expect([0], "cp /etc/resolv.conf /run/resolv.kept; echo nameserver 127.0.0.1 >/run/resolv.new")
    host.run_expect([0], "cat /run/resolv.new >/etc/resolv.conf")
    host.run_expect([0], "systemctl reload netboot-nginx")
    run = "systemd-run --quiet --unit"
    options = "--keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --pid-file"
    named = "--listen-address=127.0.0.1 --address=/also.lan/127.0.0.1"
    host.run_expect([0], f"{run}=a-name dnsmasq {options} {named}")
    host.run_expect([0], f"{run}=a-mirror python3 -m http.server 80 --bind 127.0.0.1 --directory {MIRROR}")
    host.run_expect([0], "for n in $(seq 50); do ss -Hltn | grep -q 127.0.0.1:80 && break; sleep 0.1; done")
    yield MIRROR
    host.run_expect([0], "cat /run/resolv.kept >/etc/resolv.conf")
    host.run("systemctl stop a-name a-mirror")


def test_packages_are_kept_by_the_confined_service(host: Any, device: Device, mirror: str) -> None:
    """By the host's name servers of now; where it may write; offline, too."""
    folder = host.file("/data/boot/apt")
    assert (folder.user, folder.group, folder.mode) == ("www-data", "www-data", 0o700)
    ask = ("http://also.lan/pool/x.deb", "--proxy", "http://192.168.1.50:8080")
    assert device.run("curl", "-s", *ask).stdout == "a package\n"
    assert host.check_output("cat /run/netboot-nginx/resolver") == "resolver 127.0.0.1 ipv6=off;"
    host.run_expect([0], "systemctl stop a-name a-mirror")
    assert device.run("curl", "-s", *ask).stdout == "a package\n"
    assert "none of the mirrors" in device.run("curl", "-s", *ask[1:], "http://other.lan/").stdout
    assert Service(host, "netboot-nginx").inside("touch /data/boot/apt/x").returncode == 0
    host.run_expect([0], f"rm -r /data/boot/apt/x {mirror}")


def test_mirrors_of_machines_are_in_the_list(host: Any) -> None:
    text = host.file("/etc/netboot/nginx.conf").content_string
    assert "server_name also.lan mirror.lan;" in text
    assert r'"~^mirror\.lan:8080$" $http_host;' in text
    assert "max_size=30m inactive=1d min_free=1m;" in text


def test_the_seed_has_apt_ask_the_cache(host: Any) -> None:
    told = yaml.safe_load(user_data(host, "odd").content_string)["autoinstall"]
    assert 'Acquire::http::Proxy "http://192.168.1.50:8080/";' in told["apt"]["conf"]
    assert told["apt"]["primary"][0]["uri"] == "http://mirror.lan:8080/ubuntu"


def test_the_other_network_is_answered_too(host: Any) -> None:
    assert "allow 127.0.0.0/8;" in host.file("/etc/netboot/nginx.conf").content_string
