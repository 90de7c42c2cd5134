# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.module_utils._program import plan as plans
from ansible_collections.homelab.netboot.plugins.module_utils._program import served
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import Machine, State
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import seeds

KEY = {"ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"]}
HASH = "$6$aaaaaaaa$4ytjk4CO0B599Bzc/7w5hKErpcKA2/MyBcv5dCFNBin3TPSd6cH/XpYf9ZeGd7ZsjNn2xxUXejVbPGVF.jYa6/"
URL = "http://192.168.1.50"
NETWORK = {"name": "", "base_url": URL}
NUC1 = {
    "name": "nuc1",
    "mac": "f4:4d:30:60:64:69",
    "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"],
}


def files(*raw: dict[str, Any]) -> dict[str, str]:
    return seeds.files(machines.normalise(raw))


def faults_of(*raw: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as caught:
        files(*raw)
    return caught.value.faults


def test_all_four_files_are_always_there() -> None:
    plan = files(NUC1)
    assert sorted(plan) == [
        *(f"program/{name}.py" for name in ("begin", "guard", "report")),
        *(f"seed/nuc1/{name}" for name in ("meta-data", "network-config", "user-data", "vendor-data")),
    ]
    assert plan["seed/nuc1/meta-data"] == "instance-id: nuc1\n"
    assert plan["seed/nuc1/vendor-data"] == plan["seed/nuc1/network-config"] == ""


def test_user_data_is_cloud_config_with_the_settings_below_one_key() -> None:
    text = files({**NUC1, "autoinstall": {"locale": "ja_JP.UTF-8"}})["seed/nuc1/user-data"]
    assert text.startswith("#cloud-config\nautoinstall:\n")
    assert yaml.safe_load(text)["autoinstall"]["locale"] == "ja_JP.UTF-8"


def test_programs_can_be_read_line_by_line(tmp_path: Path) -> None:
    """As they are handed out: in the plan each stands once, whatever the number of machines."""
    found = files(NUC1)
    for path, text in found.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    plan = plans.load(str(tmp_path))
    machine = Machine("nuc1", "f4:4d:30:60:64:69", "focal", "once", "blank", "")
    assert served.missing_parts(plan, plan.own(machine)) == ["boot entries"]
    state = State(machine.mac, "nuc1", "armed", token="0" * 32)
    seeds_of = served.of_machine(plan, plan.own(machine), state, {}).seeds
    text = seeds_of[served.place_of(state) + "user-data"].decode()
    carried = {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}
    assert list(carried) == ["/run/netboot/settings.json", "/run/netboot/guard.py"]
    assert carried["/run/netboot/guard.py"] == found["program/guard.py"]
    for content in carried.values():
        assert content.count("\n") > 4
        assert all(not line or f"    {line}\n" in text for line in content.splitlines())


def test_programs_stand_in_the_plan_once_for_all_machines() -> None:
    many = files(*({**NUC1, "name": f"nuc{n}", "mac": f"52:54:00:00:00:{n:02x}"} for n in range(1, 6)))
    assert [path for path, text in many.items() if "def main" in text] == [
        "program/begin.py",
        "program/guard.py",
        "program/report.py",
    ]


def test_commands_are_short_and_hold_no_secret() -> None:
    checked = machines.normalise([{**NUC1, "expect": {"product": "x" * 99}}])
    answers = yaml.safe_load(seeds.files(checked, [NETWORK])["seed/nuc1/user-data"])["autoinstall"]
    assert {key: answers[f"{key}-commands"] for key in ("early", "late", "error")} == {
        "early": ["python3 -I /run/netboot/begin.py", "python3 -I /run/netboot/guard.py"],
        "late": ["python3 -I /run/netboot/report.py installed || true"],
        "error": ["python3 -I /run/netboot/report.py failed || true"],
    }


OWN = {"type": "webhook", "endpoint": f"{URL}/progress/nuc1.@TOKEN@"}


def reporting(settings: dict[str, Any], base_url: str = URL) -> Any:
    checked = machines.normalise([{**NUC1, "autoinstall": settings}])
    return yaml.safe_load(
        seeds.files(checked, [{**NETWORK, "base_url": base_url}] if base_url else [])["seed/nuc1/user-data"]
    )["autoinstall"].get("reporting")


def test_the_installer_tells_the_server_its_steps_beside_whom_the_user_names() -> None:
    theirs = {"hook": {"type": "webhook", "endpoint": "http://192.168.1.9/x"}, "print": {"type": "none"}}
    assert reporting({}) == {"netboot": OWN}
    assert reporting({"reporting": theirs}) == {**theirs, "netboot": OWN}
    assert reporting({}, "") is None
    assert reporting({"interactive-sections": ["storage"]}) is None  # Subiquity would not report then


def test_the_name_of_the_server_s_own_report_is_taken() -> None:
    (fault,) = faults_of({**NUC1, "autoinstall_group": {"reporting": {"netboot": {"type": "print"}}}})
    assert fault == (
        "machine nuc1: netboot_autoinstall_group: reporting.netboot: the server's own report has this name; "
        "give yours another one"
    )
    assert faults_of({**NUC1, "autoinstall": {"reporting": 7}})


def test_what_the_programs_are_told_is_for_root_alone() -> None:
    user_data = yaml.safe_load(seeds.files(machines.normalise([NUC1]), [NETWORK])["seed/nuc1/user-data"])
    modes = {
        file["path"]: file["permissions"] for file in user_data["write_files"] if "@TOKEN@" in file["content"]
    }
    assert modes == {"/run/netboot/settings.json": "0600"}


def test_keys_that_stand_in_two_places_are_written_twice() -> None:
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"]
    over = {"user-data": {"ssh_authorized_keys": keys, "disable_root": False, "again": keys}}
    assert "&" not in files({**NUC1, "ssh_keys": keys, "autoinstall": over})["seed/nuc1/user-data"]


def test_a_machine_that_is_never_installed_has_no_seed() -> None:
    assert files({**NUC1, "install": "never", "ssh_keys": []}) == {}


def test_a_locale_that_nobody_knows_is_told_and_not_refused() -> None:
    raw = [
        {"name": "n1", "mac": "f4:4d:30:60:64:01", **KEY, "autoinstall_site": {"locale": "de_DX.UTF-8"}},
        {"name": "n2", "mac": "f4:4d:30:60:64:02", **KEY, "autoinstall_site": {"locale": "de_DX.UTF-8"}},
        {"name": "n3", "mac": "f4:4d:30:60:64:03", **KEY, "autoinstall": {"locale": "de_DE.UTF-8"}},
    ]
    assert files(*raw)
    assert seeds.doubts(machines.normalise(raw)) == [
        "machines n1, n2: netboot_autoinstall_site: locale: 'de_DX.UTF-8' is a locale that nobody here knows; "
        "did you mean de_DE.UTF-8?"
    ]


def test_who_calls_another_home_is_told_that_this_server_hears_nothing() -> None:
    own = {"user-data": {"phone_home": {"url": "http://192.168.1.9/"}}}
    raw: list[dict[str, Any]] = [
        {**NUC1, "autoinstall_site": own},
        {**NUC1, "name": "n2", "mac": "f4:4d:30:60:64:02"},
    ]
    assert seeds.doubts(machines.normalise(raw)) == [
        "machine nuc1: netboot_autoinstall_site: user-data.phone_home: is yours, so this server is not told when the "
        "machine has started: its state stays installed"
    ]
    assert seeds.doubts(machines.normalise([{**raw[0], "install": "never"}])) == []


def test_a_machine_that_nobody_could_log_in_to_is_refused() -> None:
    ok = {"name": "ok", "mac": "f4:4d:30:60:64:70", "password_hash": HASH}
    (fault,) = faults_of({**NUC1, "ssh_keys": []}, ok)
    assert fault.startswith("machine nuc1: netboot_ssh_keys: nobody could log in")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"autoinstall": {"late-command": []}},
            "netboot_autoinstall: late-command: no such key; did you mean late-commands?",
        ),
        (
            {"autoinstall_site": {"updates": "al"}},
            "netboot_autoinstall_site: updates: 'al' is not one of security, all",
        ),
        (
            {"autoinstall_group": {"ssh": {"allow_pw": True}}},
            "netboot_autoinstall_group: ssh.allow_pw: no such key; did",
        ),
        (
            {"autoinstall_site": {"packages": ["a"]}, "autoinstall": {"packages": ["b", "c d"]}},
            "netboot_autoinstall: packages[1]: is not written as it must be; one package each",
        ),
        ({"disk": {"serail": "S"}}, "netboot_disk: serail: no such key; did you mean serial?"),
        ({"password_hash": "geheim"}, "netboot_password_hash: must be a hash"),
        (
            {"password_hash": "geheim", "autoinstall": {"identity": {}}},
            "netboot_password_hash: must be a hash",
        ),
        ({"autoinstall": {"identity": {}}}, "netboot_autoinstall: identity: needs the key password"),
        (
            {"user": "Me", "password_hash": HASH, "autoinstall": {"identity": {}}},
            "netboot_user: is not written as it",
        ),
        (
            {"network": {"address": "10.0.0.2/8"}, "autoinstall_site": {"network": {"version": 2}}},
            "netboot_network: is not used, as netboot_autoinstall_site says all of it; remove one of them",
        ),
        (
            {
                "disk": {"serial": "S"},
                "autoinstall": {"storage": {"config": [{"type": "zpool", "id": "p"}]}},
            },
            "netboot_disk: is not used, as there is a storage.config",
        ),
        (
            {"release": "20.04", "autoinstall": {"codecs": {"install": True}}},
            "netboot_autoinstall: codecs: Ubuntu 20.04's installer does not know it, that of 22.04 does",
        ),
    ],
)
def test_a_fault_names_machine_variable_path_and_remedy(settings: dict[str, Any], told: str) -> None:
    machine = {**machines.normalise([NUC1])[0], **settings}
    with pytest.raises(InputError) as caught:
        seeds.files([machine])
    (fault,) = caught.value.faults
    assert fault.startswith(f"machine nuc1: {told}")
    assert "geheim" not in str(caught.value)


def test_machines_that_share_a_fault_share_a_line() -> None:
    raw = [
        {
            "name": f"n{i}",
            "mac": f"52:54:00:00:00:{i:02x}",
            "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"],
            "autoinstall_site": {"update": "all"},
        }
        for i in range(20)
    ]
    assert faults_of(*raw) == [
        "machines n0, n1, n2, n3, n4 and 15 more: netboot_autoinstall_site: update: no such key; did you mean updates?"
    ]


def test_the_reports_come_after_all_that_the_inventory_says() -> None:
    checked = machines.normalise([{**NUC1, "autoinstall": {"late-commands": ["mine"]}}])
    user_data = yaml.safe_load(seeds.files(checked, [NETWORK])["seed/nuc1/user-data"])
    mine, ours = user_data["autoinstall"]["late-commands"]
    assert mine == "mine"
    assert ours.endswith("report.py installed || true")
    told = json.loads(user_data["write_files"][0]["content"])
    assert told["installed"] == "http://192.168.1.50/reports/nuc1.@TOKEN@.installed"
    assert told["failed"] == "http://192.168.1.50/reports/nuc1.@TOKEN@.failed"


def test_a_machine_reports_to_the_address_in_its_network_or_to_where_it_asked() -> None:
    lab, office = {"name": "lab", "base_url": "http://10.0.20.1:8080"}, {**NETWORK, "name": "office"}
    rest = {**NUC1, "name": "rest", "mac": "any", "install": "always", "wipe": "always"}
    checked = machines.normalise([{**NUC1, "network_name": "lab"}, rest], there=[lab, office])
    plan = seeds.files(checked, [lab, office])
    for name, root in (("nuc1", "http://10.0.20.1:8080"), ("rest", "@SERVER@")):
        text = plan[f"seed/{name}/user-data"]
        assert text.count(f"{root}/reports/{name}.@TOKEN@.") == text.count("/reports/") > 1
        assert f"{root}/progress/{name}.@TOKEN@" in text
        assert f"{root}/machines/{name}/@TOKEN@/receipt" in text
        assert URL not in text
