# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom, and how long functions and files of tasks may be. docs/architecture.md draws it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "ansible_collections.homelab.netboot.plugins."
GROUND = (
    *("plugin_utils._faults", "plugin_utils._plain", "plugin_utils._mac", "plugin_utils._memory"),
    "plugin_utils._noted",
)
CONTRACT, NAMES = "module_utils._program.contract", "module_utils._uefi.names"
PXE = "module_utils._program.doctor.pxe"
KEYS = "module_utils._program.ssh_keys"
FILES, ERRORS, PLACES = "module_utils._program.files", "module_utils._errors", "module_utils._destination"
PROGRAM_ROOM = "module_utils._program"
PROGRESS = "module_utils._image.progress"
DOOR = "plugin_utils._ubuntu.system"
#: What machines need differently, and which loader they ask for: said in the inventory, acted upon at the boot.
WISHES = ("plugin_utils._inventory.quirks", "plugin_utils._inventory.loaders")
#: In which network of its server a machine boots: said in the inventory, and asked wherever an address is written.
NETWORKS = "plugin_utils._inventory.networks"
#: Which addresses a server gives in a network: said in the inventory, and compared with the network that is there.
DHCP = "plugin_utils._inventory.dhcp"
#: What a room's modules may import of this collection, besides their own room; a folder stands for all that is in it.
MAY: dict[str, tuple[str, ...]] = {
    "plugin_utils": (*GROUND, PROGRESS),
    "plugin_utils._ubuntu": (*GROUND, CONTRACT, NETWORKS),
    "plugin_utils._inventory": (*GROUND, CONTRACT, NAMES, DOOR, KEYS),
    "plugin_utils._firewall": (),
    "plugin_utils._server": (*GROUND, CONTRACT, NETWORKS, DHCP),
    "plugin_utils._provision": (),
    "plugin_utils._start": (),
    "plugin_utils._boot": (*GROUND, CONTRACT, NAMES, PXE, DOOR, NETWORKS, *WISHES),
    "module_utils": (FILES, ERRORS, PLACES),
    "module_utils._program": (),
    # what happened is told without knowing what it means, so that the lab tells its boots with it
    "module_utils._program.events": (CONTRACT, FILES),
    "module_utils._program.why": (PROGRAM_ROOM,),
    "module_utils._program.doctor": (PROGRAM_ROOM,),
    "module_utils._program.page": (PROGRAM_ROOM,),
    # who signed a kernel; what reads that imports nothing
    "module_utils._image": (FILES, ERRORS, PLACES, "module_utils._uefi.pe"),
    "module_utils._uefi": (CONTRACT, FILES, ERRORS, PLACES, "module_utils._image.iso"),
    "modules": ("module_utils",),
    "filter": ("plugin_utils", "module_utils"),
    "inventory": ("plugin_utils", "module_utils"),
    "doc_fragments": (),
    # one asks the program on the server, and shows what that says; one has a BMC do what is decided below; one shows
    # how far a download is
    "action": ("plugin_utils", PROGRESS),
}
#: Modules of the program in an order in which each imports only earlier ones; each may be without `server`.
PROGRAM = (
    *("contract", "ssh_keys", "files", "states", "plan", "served"),
    *(
        f"events.{one}"
        for one in ("event", "story", "changes", "dnsmasq", "nginx", "progress", "joining", "sources", "kept")
    ),
    *("store", "spool", "settings", "publication", "shelf", "keeper", "wake", "listing"),
    *(
        f"why.{one}"
        for one in (
            "case",
            "milestones",
            "signs",
            "cause",
            "at_the_network",
            "at_the_loader",
            "at_the_installer",
            "causes",
            "verdict",
            "telling",
            "facts",
            "asking",
        )
    ),
    *(
        f"doctor.{one}"
        for one in (
            *("pxe", "web", "finding", "services", "targets", "network", "questions"),
            *("abroad", "disks", "loaders", "looking", "examining"),
        )
    ),
    *(
        "page.known",
        "page.data",
        "metrics",
        "page.html",
        "page.style",
        "page.index",
        "page.story",
        "page.gathering",
        "page.writing",
    ),
    *("moving", "transfers", "watching", "server", "cli"),
)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "plugins").with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """What a file imports of this collection, below plugins/."""
    own = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name.removeprefix(PACKAGE) for one in node.names if one.name.startswith(PACKAGE))
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            above = own.rsplit(".", node.level - 1)[0] if node.level > 1 else own
            source = above + (f".{node.module}" if node.module else "")
        elif (node.module or "").startswith(PACKAGE):
            source = (node.module or "").removeprefix(PACKAGE)
        else:
            continue
        for one in node.names:
            is_module = (ROOT / "plugins" / source.replace(".", "/") / f"{one.name}.py").exists()
            yield f"{source}.{one.name}" if is_module else source


def allowed(module: str, path: Path) -> bool:
    room = dotted(path.parent)
    places = (*MAY[room], *([room] if room.count(".") else []))
    return any(module == place or module.startswith(place + ".") for place in places)


SOURCES = sorted((ROOT / "plugins").glob("**/*.py"))
FUNCTIONS = [
    (path, node)
    for folder in ("plugins", "tests", "molecule")
    for path in sorted((ROOT / folder).glob("**/*.py"))
    if "output" not in path.parts  # where ansible-test works
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
]


@pytest.mark.parametrize("path", SOURCES, ids=dotted)
def test_every_room_imports_only_what_it_may(path: Path) -> None:
    assert [module for module in imports(path) if not allowed(module, path)] == []


def test_the_rule_finds_what_it_is_there_for() -> None:
    path = ROOT / "plugins/plugin_utils/_boot/entries.py"
    assert set(imports(path)) == {CONTRACT, DOOR, "plugin_utils._inventory.quirks"}
    for module in ("plugin_utils._ubuntu.seeds", "plugin_utils._inventory.machines", "module_utils._image"):
        assert not allowed(module, path)


def test_the_program_has_no_circle() -> None:
    folder = ROOT / "plugins/module_utils/_program"
    there = (path.relative_to(folder).with_suffix("") for path in folder.glob("**/[!_]*.py"))
    assert sorted(PROGRAM) == sorted(".".join(path.parts) for path in there)
    for place, name in enumerate(PROGRAM):
        earlier = {f"{PROGRAM_ROOM}.{one}" for one in PROGRAM[:place]}
        assert set(imports(folder / f"{name.replace('.', '/')}.py")) <= earlier, name


def test_no_function_is_longer_than_fifty_lines() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, node in FUNCTIONS
    }
    assert {name: length for name, length in lengths.items() if length > 50} == {}


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("roles/*/tasks/*.yml")), ids=lambda path: "/".join(path.parts[-3:])
)
def test_tasks_are_short_and_decide_nothing(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 80
    assert "{% set" not in text
    assert "{%- set" not in text


@pytest.mark.parametrize(
    "path",
    sorted(
        [
            *ROOT.glob("roles/*/tasks/*.yml"),
            *ROOT.glob("roles/*/handlers/*.yml"),
            *ROOT.glob("playbooks/*.yml"),
        ]
    ),
    ids=lambda path: "/".join(path.parts[-3:]),
)
def test_names_of_tasks_fit_a_line(path: Path) -> None:
    names = re.findall(r"^ *- name: (.*?)(?: # noqa.*)?$", path.read_text(), re.MULTILINE)
    assert names
    assert [name for name in names if len(name) > 60] == []
