# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is set up, and the system of a machine beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra
import yaml

from tests.provision import ADDRESS, NAME, SYSTEM, Home, System, lab
from tests.servers import PREFIX, Device


@pytest.fixture(scope="module")
def home(host: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    lab("server", "up", SYSTEM, "--suite=bookworm", f"--lan={NAME}-bookworm", f"--address={ADDRESS}/24")
    try:
        system = System(testinfra.get_host(f"podman://{PREFIX}{SYSTEM}"))
        install = "apt-get -qq install --yes --no-install-recommends cloud-init >/dev/null"
        system.host.run_expect([0], f"apt-get -qq update && DEBIAN_FRONTEND=noninteractive {install}")
        found = Home(host, Device(f"{NAME}-bookworm"), system, tmp_path_factory.mktemp("home"))
        done = found.run("site.yml")
        assert done.returncode == 0, done.stdout[-4000:]
        yield found
    finally:
        lab("server", "down", SYSTEM)


@pytest.fixture(scope="module")
def then(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A playbook of the user's own."""
    path = tmp_path_factory.mktemp("then") / "then.yml"
    task = {
        "name": "Say hello",
        "ansible.builtin.copy": {"content": "hello {{ inventory_hostname }}\n", "dest": "/root/hello"},
    }
    play = {"name": "Configure", "hosts": "netboot_machines", "tasks": [task]}
    path.write_text(yaml.safe_dump([play], sort_keys=False))
    return path
