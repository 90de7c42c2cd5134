# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin as Ansible runs it, asking servers on this host for files that the status page's code wrote."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.page import data
from ansible_collections.homelab.netboot.plugins.module_utils._program.page.known import Known, Row

ROOT = Path(__file__).parents[2]
COLLECTIONS = ROOT / ".collections" if (ROOT / ".collections").exists() else ROOT.parents[2]
MAC = "f4:4d:30:60:64:6"
HOSTS = """
netboot_machines:
  children:
    rack:
      hosts:
        nuc1:
        nuc2: {ansible_host: 10.0.0.2}
        nuc3:
        nuc4:
    named:
      hosts: {nuc5: }
      vars: {ansible_host: "{{ inventory_hostname }}.lan"}
    filed: {hosts: {nuc6: }}
others: {hosts: {printer: }}
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_said: Any) -> None:
        pass


@contextmanager
def server(folder: Path, *rows: Row) -> Iterator[str]:
    """A server that tells of these machines."""
    (folder / "status").mkdir(parents=True, exist_ok=True)
    if rows:
        (folder / "status/machines.json").write_text(data.text(Known(rows), 1795700000.0))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{web.server_port}"
        finally:
            web.shutdown()


def row(name: str, state: str, address: str = "", number: int = 1) -> Row:
    return Row(
        f"{MAC}{number}", name, "noble", state=state, since=1795690000.0, phase="seeds", address=address
    )


def _unmarked(found: dict[str, Any]) -> Any:
    """Ansible marks there what is no template."""
    return found.get("__ansible_unsafe", found)


class Controller:
    """A host with an inventory in a folder, asked by `ansible-inventory`."""

    def __init__(self, top: Path) -> None:
        self.folder = top / "inventory"
        self.folder.mkdir()
        (self.folder / "hosts.yml").write_text(HOSTS)
        self.top, self.said = top, ""
        (top / "ansible.cfg").touch()

    def ask(self, *servers: str, rc: int = 0, **options: Any) -> dict[str, Any]:
        """All that `ansible-inventory --list` says."""
        source = {"plugin": "homelab.netboot.machines", "servers": servers, "timeout": 30, **options}
        (self.folder / "netboot.yml").write_text(json.dumps(source))
        done = subprocess.run(
            ["ansible-inventory", "--list", "-i", self.folder],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_CONFIG": str(self.top / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.top),
                "ANSIBLE_NOCOLOR": "true",
                "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
                "http_proxy": "http://127.0.0.1:9",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        self.said = " ".join(done.stderr.split())
        assert done.returncode == rc, self.said
        assert "Traceback" not in self.said
        return json.loads(done.stdout, object_hook=_unmarked) if rc == 0 else {}


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    return Controller(tmp_path)


def test_machines_are_in_groups_and_have_an_address_where_the_inventory_gives_none(
    controller: Controller, tmp_path: Path
) -> None:
    for place in ("host_vars/nuc3", "group_vars/filed"):
        (controller.folder / place).parent.mkdir()
        (controller.folder / f"{place}.yml").write_text("ansible_host: 10.0.0.9\n")
    names = ("nuc1", "nuc2", "nuc3", "nuc5", "printer", "fresh", "nuc6")
    rows = [row(name, "up", f"192.168.1.3{place}", place) for place, name in enumerate(names)]
    with server(tmp_path / "a", *rows, row("nuc4", "installing", number=9)) as web:
        found = controller.ask(
            web, groups={"ready": "netboot_told.state == 'up'"}, keyed_groups=[{"key": "netboot_told.image"}]
        )
    assert set(found["netboot_state_up"]["hosts"]) == {"nuc1", "nuc2", "nuc3", "nuc5", "nuc6", "fresh"}
    assert found["ready"] == found["netboot_state_up"]
    assert found["netboot_state_installing"]["hosts"] == ["nuc4"]
    assert len(found["netboot_told"]["hosts"]) == len(found["_noble"]["hosts"]) == 7
    assert set(found["rack"]["hosts"]) == {"nuc1", "nuc2", "nuc3", "nuc4"}
    assert "hosts" not in found["netboot_machines"]
    hosts = found["_meta"]["hostvars"]
    assert {name: given["ansible_host"] for name, given in hosts.items() if "ansible_host" in given} == {
        "nuc1": "192.168.1.30",
        "nuc2": "10.0.0.2",
        "nuc3": "10.0.0.9",
        "nuc5": "{{ inventory_hostname }}.lan",
        "nuc6": "10.0.0.9",
        "fresh": "192.168.1.35",
    }
    assert hosts["nuc1"]["netboot_told"] == {
        "address": "192.168.1.30",
        "image": "noble",
        "mac": f"{MAC}0",
        "phase": "seeds",
        "server": web,
        "since": "2026-11-26T10:46:40Z",
        "state": "up",
    }
    assert "machine printer:" in controller.said
    assert "printer" not in hosts


def test_of_two_servers_one_may_be_silent_and_strict_makes_that_an_error(
    controller: Controller, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        one = stack.enter_context(server(tmp_path / "a", row("nuc1", "up")))
        two = stack.enter_context(server(tmp_path / "b", row("nuc1", "local"), row("nuc2", "failed")))
        bare = stack.enter_context(server(tmp_path / "c"))
        found = controller.ask(one, two)
        assert found["netboot_state_up"]["hosts"] == ["nuc1"]
        assert found["netboot_state_failed"]["hosts"] == ["nuc2"]
        assert f"machine nuc1: both {one} and {two} tell of it" in controller.said
        silent = "http://127.0.0.1:1"
        found = controller.ask(one, silent, bare)
        assert found["netboot_state_up"]["hosts"] == ["nuc1"]
        assert f"{silent}/status/machines.json: no answer (" in controller.said
        assert (
            f"{bare}/status/machines.json: status 404: there is none: set netboot_status_page to true"
            in controller.said
        )
        controller.ask(one, silent, rc=1, strict=True)
        assert f"{silent}/status/machines.json: no answer (" in controller.said
        controller.ask(silent, bare, rc=1)
        assert "no server could be read" in controller.said
        controller.ask("192.168.1.50", rc=1)
        assert (
            "servers: '192.168.1.50' is not the address of a server; write it like http://" in controller.said
        )
        controller.ask(rc=1)
        assert "servers: names none; write addresses, such as [http://192.168.1.50]" in controller.said


def test_the_cache_answers_for_a_server_that_is_off_and_is_never_half(
    controller: Controller, tmp_path: Path
) -> None:
    cache: dict[str, Any] = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    with server(tmp_path / "a", row("nuc1", "up", "192.168.1.32")) as one:
        with server(tmp_path / "b", row("nuc2", "armed")) as two:
            first = controller.ask(one, two, **cache)
        assert controller.ask(one, two, **cache) == first
        assert controller.said == ""
        assert "netboot_state_armed" not in controller.ask(one, two)
    assert controller.ask(one, two, **cache) == first
    (file,) = (tmp_path / "cache").iterdir()
    file.write_text(file.read_text().replace("armed", "{{ armed }}"))
    controller.ask(one, two, rc=1, **cache)
    assert "no answer" in controller.said
