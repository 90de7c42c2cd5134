# SPDX-License-Identifier: GPL-3.0-or-later
"""What controller and server agree on is written once: nobody else spells it out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import contract

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "plugins/module_utils/_program/contract.py"
#: Forms of what is agreed on, as a copy would be written.
COPIES = re.compile(
    r"@TOKEN@|\[0-9a-f\]\{32|\bmachines\.json\b|\b(meta|vendor)-data\b|\bnetwork-config\b"
    r"|\breports/|\bfetched/|\bhttp/machines\b|/machines/\{|\(\?!-\)\[A-Za-z0-9-\]"
)
#: Where it stands all the same, and why.
ALLOWED = {
    (
        "plugins/plugin_utils/_ubuntu/releases.py",
        "meta-data",
    ): "what each release's cloud-init asks for, as it was measured",
    ("plugins/plugin_utils/_ubuntu/releases.py", "vendor-data"): "likewise",
    ("plugins/plugin_utils/_ubuntu/releases.py", "network-config"): "likewise",
}


def texts(path: Path) -> list[str]:
    """Return what a file says to a program: of Python the strings without documentation, of others all but comments."""
    text = path.read_text()
    if path.suffix != ".py":
        return [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    tree = ast.parse(text)
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in DOCUMENTED)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
    ]


DOCUMENTED = ("DOCUMENTATION", "EXAMPLES", "RETURN")


def copies(path: Path) -> list[str]:
    return sorted({found[0] for text in texts(path) for found in COPIES.finditer(text)})


SOURCES = sorted(
    path
    for pattern in ("plugins/**/*.py", "roles/*/[dhtv]*/*", "playbooks/*.yml")
    for path in ROOT.glob(pattern)
    if path.is_file() and path != CONTRACT
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_else_spells_it_out(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    assert [copy for copy in copies(path) if (name, copy) not in ALLOWED] == []


def test_every_exception_is_one() -> None:
    for name, copy in ALLOWED:
        assert copy in copies(ROOT / name)


@pytest.mark.parametrize(
    "code",
    [
        'TOKEN = "@TOKEN@"',
        'x = re.compile("[0-9a-f]{32}")',
        'f"{base}/reports/{name}"',
        '["user-data", "meta-data"]',
    ],
)
def test_a_copy_is_found(code: str, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(code + "\n")
    assert copies(path)
    path.write_text(f'"""Documentation: {code.replace(chr(34), "")}"""\n')
    assert not copies(path)


def test_what_nginx_lets_through_is_what_the_program_understands() -> None:
    token = "0123456789abcdef" * 2
    for name in ("nuc1", "a.b-c", "x" * 63):
        path = contract.report_address("", name, contract.FAILED, token)
        assert re.fullmatch(contract.REPORT_PATH, path)
        found = contract.REPORT_FILE.fullmatch(path.rpartition("/")[2])
        assert found is not None
        assert (found["name"], found["token"], found["word"]) == (name, token, "failed")
        seed = contract.seed_address("", name, token)
        fetched = re.fullmatch(contract.USER_DATA_PATH, seed + "user-data")
        assert fetched is not None
        noted = contract.FETCHED_FILE.fullmatch(f"{fetched['netboot_machine']}.{fetched['netboot_token']}")
        assert noted is not None
        assert (noted["name"], noted["token"]) == (name, token)
        for file in contract.SEED_FILES:
            assert bool(re.fullmatch(contract.OTHER_SEEDS_PATH, seed + file)) is (file != "user-data")
    assert not re.fullmatch(contract.REPORT_PATH, f"/reports/nuc1.{token}.other")


def test_what_a_first_start_says_is_put_down_with_an_address_that_nobody_but_nginx_writes() -> None:
    token = "0123456789abcdef" * 2
    for name in ("nuc1", "a.up.b-c", "1.2.3.4"):
        path = contract.report_address("", name, contract.UP, token)
        assert re.fullmatch(contract.UP_PATH, path)
        assert not re.fullmatch(contract.REPORT_PATH, path), "not by PUT"
        assert not contract.REPORT_FILE.fullmatch(path.rpartition("/")[2])
        assert not contract.REPORT_FILE.fullmatch(f"{name}.{token}.installed.192.168.1.77")
        put = path + ".192.168.1.77"
        assert re.fullmatch(contract.UP_PUT_PATH, put)
        assert not re.fullmatch(contract.UP_PATH, put)
        assert not re.fullmatch(contract.REPORT_PATH, put)
        found = contract.REPORT_FILE.fullmatch(put.rpartition("/")[2])
        assert found is not None
        assert found.groupdict() == {"name": name, "token": token, "word": "up", "address": "192.168.1.77"}


@pytest.mark.parametrize("name", ["nuc1", "a.b", "1", "x" * 63])
def test_names_of_hosts(name: str) -> None:
    assert contract.is_host_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "a..b", ".a", "a_b", "x" * 64, f"{'x' * 40}.{'y' * 40}", "a/b", "a\n"]
)
def test_what_is_none(name: str) -> None:
    assert not contract.is_host_name(name)
