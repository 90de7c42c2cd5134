# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx serves images and seeds, and nothing else."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest

from tests.servers import PROJECT, Device, Service, ansible_playbook, broken, said

# A request to the server at an address of the boot network, from one that is not in it: prints the answer's status.
STRANGER = """python3 -c "
import http.client, sys
link = http.client.HTTPConnection('192.168.1.50', source_address=(sys.argv[1], 0))
link.request(sys.argv[2], sys.argv[3])
print(link.getresponse().status)" """
TOKEN = "0123456789abcdef" * 2
SEED = f"/machines/nuc1/{TOKEN}"
SPOOL = "/var/spool/netboot"
ISO = "/srv/netboot/http/images/focal/focal.iso"
STATUS = "/srv/netboot/http/status"


@pytest.fixture
def service(host: Any) -> Service:
    return Service(host, "netboot-nginx")


@pytest.fixture(scope="module", autouse=True)
def _content(host: Any) -> None:
    """Put in what other roles would."""
    host.run_expect([0], f"install -D -m 0644 /var/tmp/test.iso {ISO}")
    host.run_expect([0], f"install -d -m 0750 -g www-data /srv/netboot/http/machines /srv/netboot/http{SEED}")
    for name in ("vendor-data", "user-data", "other"):
        host.run_expect([0], f"install -m 0640 -g www-data /dev/null /srv/netboot/http{SEED}/{name}")
    for path in (
        "index.html",
        "style.css",
        "refresh.js",
        "icon.svg",
        "machines/nuc1.html",
        "machines.json",
        ".hidden",
        "other.bin",
    ):
        host.run_expect([0], f"install -D -m 0644 /var/tmp/SHA256SUMS {STATUS}/{path}")
    host.run_expect([0], "install -m 0644 /dev/null /srv/netboot/http/images/focal/.hidden")


def test_it_runs_now_and_after_a_restart_of_the_host(host: Any) -> None:
    assert host.service("netboot-nginx").is_running
    assert host.service("netboot-nginx").is_enabled
    assert host.socket("tcp://192.168.1.50:80").is_listening


def test_an_image_arrives_whole(host: Any, device: Device) -> None:
    answer = device.http("/images/focal/focal.iso", "-o", "/dev/null", "-w", "%{http_code} %{size_download}")
    assert answer.stdout.split() == ["200", str(host.file(ISO).size)]


def test_a_range_of_an_image_can_be_had(device: Device) -> None:
    head, dummy, body = device.http("/images/focal/focal.iso", "-r", "32769-32773").stdout.partition("\n\n")
    assert "206 Partial Content" in head
    assert body == "CD001"  # ECMA-119, 8.1.2: the standard identifier


def test_an_empty_seed_file_is_an_empty_answer(device: Device) -> None:
    answer = device.http(f"{SEED}/vendor-data").stdout
    assert "200 OK" in answer
    assert "Content-Length: 0" in answer


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/images/",
        "/images/focal/",
        "/machines/",
        "/machines/nuc1/",
        f"{SEED}/",
        f"{SEED}/other",
        f"/reports/nuc1.{TOKEN}.installed",
        "/reports/",
        "/images/focal/.hidden",
        "/status/.hidden",
        "/status/machines/",
        "/status/../machines/",
        "/status/..%2fimages/focal/.hidden",
        "/statusx",
        "/images/../../../etc/hostname",
        "/etc/hostname",
    ],
)
def test_nothing_is_listed_and_nothing_else_is_served(device: Device, path: str) -> None:
    status = device.http(path).stdout.splitlines()[0].split()[1]
    assert status in {"400", "403", "404"}


def test_nothing_can_be_written(device: Device) -> None:
    for path in (
        "/images/focal/new",
        "/status/index.html",
        "/status/new",
        f"{SEED}/user-data",
        f"{SEED}/new",
        "/reports/x",
        "/reports/../x",
    ):
        assert device.http(path, "-X", "PUT", "-d", "x").stdout.splitlines()[0].split()[1] in {
            "403",
            "404",
            "405",
        }


def test_a_report_is_put_down_and_cannot_be_read_again(host: Any, device: Device) -> None:
    path = f"/reports/nuc1.{TOKEN}.installed"
    assert "201" in device.http(path, "-X", "PUT", "-d", "hello").stdout.splitlines()[0]
    assert host.file(f"{SPOOL}{path}").content_string == "hello"
    assert "403" in device.http(path).stdout.splitlines()[0]
    assert "403" in device.http(path, "-X", "DELETE").stdout.splitlines()[0]
    large = device.http(path, "-X", "PUT", "--data-binary", "x" * 70000)
    assert "413" in large.stdout.splitlines()[0]
    assert host.file(f"{SPOOL}{path}").content_string == "hello"


def test_who_sends_too_many_reports_is_told_to_wait(device: Device) -> None:
    url = f"http://192.168.1.50/reports/nuc1.{TOKEN}.installed"
    loop = f"for n in $(seq 60); do curl -s -o /dev/null -w '%{{http_code}} ' -X PUT -d x {url}; done"
    codes = device.run("sh", "-c", loop).stdout.split()
    assert 15 < codes.count("204") + codes.count("201") < 50
    assert "503" in codes


def test_who_begins_many_reports_and_ends_none_is_refused(device: Device) -> None:
    script = f"""if True:
        import socket, time
        time.sleep(25)  # until the test before has been forgotten
        links = [socket.create_connection(("192.168.1.50", 80)) for dummy in range(6)]
        for link in links:
            link.sendall(b"PUT /reports/nuc1.{TOKEN}.failed HTTP/1.1\\r\\nHost: x\\r\\n")
            link.sendall(b"Content-Length: 9\\r\\n\\r\\nabc")
            link.settimeout(2)
        for link in links:
            try:
                print(link.recv(99).split()[1].decode())
            except TimeoutError:
                print("waits")
    """
    answers = device.run(sys.executable, "-c", script).stdout.split()
    assert sorted(answers) == ["503", "503", *["waits"] * 4]


CALL = f"/reports/nuc1.{TOKEN}.up"


def test_a_first_start_is_posted_and_put_down_with_the_address_that_it_came_from(
    host: Any, device: Device
) -> None:
    assert "201" in device.http(CALL, "-d", "pub_key_rsa=a%20b&hostname=nuc1").stdout.splitlines()[0]
    put = host.file(f"{SPOOL}{CALL}.192.168.1.1")
    assert put.content_string == "pub_key_rsa=a%20b&hostname=nuc1"
    for method in ("GET", "PUT", "DELETE"):
        assert "403" in device.http(CALL, "-X", method, "-d", "x").stdout.splitlines()[0], method
    for path in (f"{CALL}.192.168.1.66", f"/reports/nuc1.{TOKEN}.other", f"{CALL}/x"):
        for method in ("POST", "PUT"):
            answer = device.http(path, "-X", method, "-d", "x").stdout
            assert answer.splitlines()[0].split()[1] in {"403", "404", "405"}, path
    assert "413" in device.http(CALL, "-d", "x" * 8193).stdout.splitlines()[0]
    assert put.content_string == "pub_key_rsa=a%20b&hostname=nuc1"
    assert host.check_output(f"ls -d {SPOOL}/reports/*.up*").split() == [put.path]
    assert "20" in device.http(CALL, "-d", "x" * 8192).stdout.splitlines()[0].split()[1]
    assert put.size == 8192
    assert host.check_output(f"ls {SPOOL}/incoming") == ""
    host.run_expect([0], f"rm {put.path}")
    lines = host.file("/var/log/netboot/access.log").content_string
    assert "POST /reports/nuc1.-.up HTTP/1.1" in lines


def test_nobody_else_on_the_server_gets_at_the_way_round_the_limits(host: Any) -> None:
    socket = "/run/netboot-nginx/proxy/told.sock"
    connect = f"python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{socket}\")'"
    assert "Permission denied" in host.run(f"runuser -u nobody -- {connect}").stderr
    host.run_expect([0], connect)


def test_a_first_start_that_cannot_be_put_down_is_refused_so_that_it_is_told_again(
    host: Any, device: Device
) -> None:
    host.run_expect([0], f"mv {SPOOL}/reports {SPOOL}/away")
    answer = device.http(CALL, "-d", "x").stdout.splitlines()[0]
    host.run_expect([0], f"mv {SPOOL}/away {SPOOL}/reports")
    assert answer.split()[1].startswith("5"), answer


def test_whoever_fetches_user_data_is_noted_once_it_is_sent(host: Any, device: Device) -> None:
    device.http(f"/machines/nuc2/{TOKEN}/user-data")
    device.http(f"{SEED}/vendor-data")
    assert host.check_output(f"ls {SPOOL}/fetched") == ""
    assert "200" in device.http(f"{SEED}/user-data").stdout.splitlines()[0]
    assert host.check_output(f"ls {SPOOL}/fetched") == f"nuc1.{TOKEN}"


PROGRESS = f"/progress/nuc1.{TOKEN}"
STEP = {
    "name": "subiquity/Install",
    "description": 'a "b"\n\u00e9',
    "event_type": "start",
    "origin": "curtin",
}


def post(device: Device, path: str, body: str, *options: str) -> str:
    """The status with which a step of an installer is answered."""
    answer = device.http(path, "-H", "Content-Type: application/json", *options, "--data-binary", body)
    return str(answer.stdout.splitlines()[0].split()[1])


def steps(host: Any) -> list[dict[str, str]]:
    """What nginx wrote down of installers' steps."""
    file = host.file("/var/log/netboot/progress.log")
    return [json.loads(line) for line in file.content_string.splitlines()] if file.exists else []


def test_a_step_of_the_installer_is_one_line_of_the_log(host: Any, device: Device) -> None:
    before = len(steps(host))
    assert post(device, PROGRESS, json.dumps(STEP, ensure_ascii=False, indent=1)) == "204"
    (line,) = steps(host)[before:]
    assert json.loads(line.pop("said")) == STEP
    assert abs(float(line.pop("time")) - time.time()) < 60
    assert line == {"address": "192.168.1.1", "machine": "nuc1"}
    assert "/progress/" not in host.check_output("tail -n 1 /var/log/netboot/access.log")
    assert post(device, PROGRESS, "x" * 16000) == "204"
    assert steps(host)[-1]["said"] == "x" * 16000


def test_a_step_is_taken_only_from_who_has_the_token(host: Any, device: Device) -> None:
    before = len(steps(host))
    other = "f" * 32
    for path in (f"/progress/nuc1.{other}", f"/progress/nuc2.{TOKEN}", "/progress/nuc1", f"{PROGRESS}/x"):
        assert post(device, path, "{}") == "404"
    for method in ("GET", "PUT", "DELETE"):
        assert post(device, PROGRESS, "{}", "-X", method) == "403"
    assert post(device, PROGRESS, "x" * 17000) == "413"
    user_data = f"/srv/netboot/http{SEED}/user-data"
    host.run_expect([0], f"mv {user_data} {user_data}.away")  # its arming is over
    assert post(device, PROGRESS, "{}") == "404"
    host.run_expect([0], f"mv {user_data}.away {user_data}")
    assert len(steps(host)) == before
    assert "POST /progress/nuc1.- HTTP/1.1" in host.file("/var/log/netboot/access.log").content_string


def test_who_sends_steps_without_end_is_told_to_wait(host: Any, device: Device) -> None:
    script = f"""if True:
        import http.client
        link = http.client.HTTPConnection("192.168.1.50")
        for dummy in range(450):
            link.request("POST", "{PROGRESS}", "{{}}")
            answer = link.getresponse()
            answer.read()
            print(answer.status)
    """
    codes = device.run(sys.executable, "-c", script).stdout.split()
    assert set(codes) == {"204", "503"}
    assert 300 <= codes.count("204") < 400
    time.sleep(3)  # the installer is not shut out for long
    assert post(device, PROGRESS, "{}") == "204"


def test_no_token_is_in_any_log(host: Any, device: Device) -> None:
    for path, *options in (
        [f"{SEED}/user-data"],
        [f"{SEED}/missing"],
        [f"/machines/nuc2/{TOKEN}/user-data"],
        [f"//machines//nuc1/{TOKEN}/user-data"],
        [f"/machines/nuc1/%30{TOKEN[1:]}/user-data"],
        [f"{SEED}/user-data?{TOKEN}"],
        [f"{SEED}/user-data", "-X", "DELETE"],
        [f"/reports/nuc1.{TOKEN}.failed", "-X", "PUT", "--data-binary", "x" * 70000],
        [f"/reports/nuc1.{TOKEN}.failed"],
        [CALL, "-d", "x" * 9000],
        [CALL, "-d", "x"],
        [PROGRESS, "--data-binary", "{}"],
        [PROGRESS, "--data-binary", "x" * 70000],
        [PROGRESS],
        [PROGRESS + "?x", "--data-binary", "{}"],
        [f"/progress/nuc2.{TOKEN}", "--data-binary", "{}"],
    ):
        device.http(path, *options)
    assert host.run(f"grep -rE '{TOKEN[1:]}' /var/log/netboot").rc == 1
    assert (
        "GET /machines/nuc1/-/user-data HTTP/1.1" in host.file("/var/log/netboot/access.log").content_string
    )


def test_who_is_not_in_the_boot_network_is_refused(host: Any) -> None:
    elsewhere = host.interface("eth0").addresses[0]
    for request in (
        "GET /images/focal/focal.iso",
        f"GET {SEED}/user-data",
        f"PUT /reports/nuc1.{TOKEN}.installed",
        "GET /grub/machines/x",
        "GET /status/",
        "GET /status/machines/nuc1.html",
    ):
        assert host.check_output(f"{STRANGER} {elsewhere} {request}") == "403"
    assert host.check_output(f"{STRANGER} 192.168.1.50 GET /images/focal/focal.iso") == "200"


def test_the_distribution_s_service_neither_runs_nor_will(host: Any) -> None:
    """Its package was installed by the role; nobody asked for its example site, nor will after an upgrade."""
    host.run_expect([0], "dpkg-reconfigure --frontend=noninteractive nginx-common nginx")
    assert not host.service("nginx").is_running
    assert not host.service("nginx").is_enabled
    assert not host.file("/etc/systemd/system/nginx.service.d").exists
    assert host.file("/etc/nginx/sites-enabled/default").is_symlink, "it is as the package made it"


def test_there_is_no_other_site_and_no_version_is_told(host: Any, device: Device) -> None:
    assert {line.split()[3] for line in host.check_output("ss -Hltn sport = :80").splitlines()} == {
        "192.168.1.50:80"
    }
    assert "Server: nginx\n" in device.http("/").stdout


def test_a_body_is_not_taken(host: Any, device: Device) -> None:
    answer = device.http("/images/focal/focal.iso", "-X", "GET", "-d", "x" * 2000)
    assert answer.stdout.splitlines()[0].split()[1] == "413"


def test_its_exposure_is_low(service: Service) -> None:
    assert service.exposure() <= 3.0


def test_it_can_write_nothing_that_is_served_and_sees_no_home(service: Service) -> None:
    assert "Read-only file system" in service.inside("touch /srv/netboot/http/x").stderr
    assert "Read-only file system" in service.inside("touch /etc/nginx/conf.d/x.conf").stderr
    assert "Read-only file system" in service.inside("touch /run/x").stderr
    assert service.inside("ls -A /root /home /tmp").stdout.split() == ["/home:", "/root:", "/tmp:"]
    assert service.inside("cat /etc/shadow").stdout == ""
    for place in ("/run/netboot-nginx", "/var/log/netboot", "/var/spool/netboot/reports"):
        assert service.inside(f"touch {place}/x").returncode == 0, "what it must write, it can"
        assert service.inside(f"rm {place}/x").returncode == 0


def test_its_workers_have_no_capability(host: Any, service: Service) -> None:
    workers = host.check_output(f"pgrep -P {service.pid}").split()
    assert workers
    for worker in workers:
        status = service.status(worker)
        assert set(status["Uid"].split()) == {str(host.user("www-data").uid)}
        assert int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"] == "1"


def test_it_goes_on_logging_when_its_logs_were_rotated(host: Any, device: Device) -> None:
    host.run_expect([0], "apt-get -qq install --yes --no-install-recommends logrotate >/dev/null")
    host.run_expect([0], "logrotate --force /etc/logrotate.d/netboot")
    assert host.file("/var/log/netboot/access.log.1").exists
    device.http("/images/focal/focal.iso", "-r", "0-4", "-A", "rotated/1")
    assert "rotated/1" in host.file("/var/log/netboot/access.log").content_string
    assert host.service("netboot-nginx").is_running


def test_it_comes_back_when_it_is_killed(host: Any, device: Device, service: Service) -> None:
    host.run_expect([0], f"kill -KILL {service.pid}")
    deadline = time.monotonic() + 60
    while "200 OK" not in device.http(f"{SEED}/vendor-data").stdout:
        assert time.monotonic() < deadline, "no answer within 60 s after the kill"
        time.sleep(0.2)
    assert post(device, PROGRESS, "{}") == "204"
    assert host.run("systemctl reload netboot-nginx").rc == 0
    time.sleep(1)
    assert post(device, PROGRESS, "{}") == "204"


def test_the_status_page_is_served_with_what_keeps_browsers_in_bounds(device: Device) -> None:
    kinds = {
        "": "text/html; charset=utf-8",
        "machines/nuc1.html": "text/html; charset=utf-8",
        "style.css": "text/css",
        "refresh.js": "text/javascript",
        "icon.svg": "image/svg+xml",
        "machines.json": "application/json",
        "other.bin": "application/octet-stream",
    }
    for path, kind in kinds.items():
        head = device.http(f"/status/{path}").stdout.partition("\n\n")[0].splitlines()
        assert "200 OK" in head[0], path
        for line in (
            f"Content-Type: {kind}",
            "Cache-Control: no-cache",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer",
        ):
            assert line in head, (path, head)
        (policy,) = (line for line in head if line.startswith("Content-Security-Policy: "))
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    moved = device.http("/status").stdout
    assert "301 Moved" in moved
    assert "Location: /status/\n" in moved


def test_who_looks_at_the_status_page_is_in_no_log(host: Any, device: Device) -> None:
    for path in ("/status/", "/status/missing.html", "/status"):
        device.http(path)
    device.http("/images/focal/focal.iso", "-r", "0-4", "-A", "afterwards/1")
    lines = host.file("/var/log/netboot/access.log").content_string.splitlines()
    assert "afterwards/1" in lines[-1]
    assert not any(
        path in line for line in lines for path in ("GET /status/ ", "missing.html", "GET /status ")
    )


def test_each_request_is_logged_with_its_bytes(host: Any, device: Device) -> None:
    device.http("/images/focal/focal.iso", "-r", "0-4", "-A", "probe/1")
    line = host.check_output("grep probe/1 /var/log/netboot/access.log | tail -n 1").split()
    assert line[2] == "192.168.1.1"
    assert line[6:8] == ["206", "5"]


def test_a_run_fails_with_its_last_words_when_it_does_not_answer(host: Any) -> None:
    playbook = PROJECT / "molecule/pxe_http/converge.yml"
    with broken(host, "netboot-nginx", "the disk is gone"):
        done = ansible_playbook(host, playbook)
    assert done.returncode != 0
    assert "netboot-nginx.service does not answer" in said(done)
    assert "Connection refused" in said(done)
    assert "NRestarts=" in said(done)
    assert "the disk is gone" in said(done)
    assert ansible_playbook(host, playbook).returncode == 0
