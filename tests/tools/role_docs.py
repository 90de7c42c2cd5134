# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the roles' READMEs, and the tables of docs/variables.md, from what the roles say of themselves.

    role_docs.py            write them
    role_docs.py --check    write nothing; fail when one is out of date

Sources: roles/*/meta/argument_specs.yml (text and types), roles/*/defaults/main.yml (defaults), roles/*/meta/main.yml
(platforms), roles/*/meta/results.yml (what they find out), role netboot (the inventory variables netboot_*) and the
table of quirks in plugins/plugin_utils/_inventory/quirks.py.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
NAMESPACE = "homelab.netboot"
BEGIN, END = "<!-- variables:begin -->", "<!-- variables:end -->"
#: The role whose variables are those of the inventory.
SHARED = "netboot"
NOTE = "<!-- Made by tests/tools/role_docs.py from the role's argument_specs and defaults: change those. -->"

#: Folders of a role that read variables.
READING = ("defaults", "handlers", "tasks", "templates", "vars")

Options = Mapping[str, Mapping[str, Any]]


def load(path: Path) -> Any:
    """Return what a YAML file holds, {} when it is missing or empty."""
    return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}


def roles(root: Path = ROOT) -> list[str]:
    """Return the names of all roles."""
    return sorted(path.parents[1].name for path in root.glob("roles/*/meta/argument_specs.yml"))


def spec(role: str, root: Path = ROOT) -> dict[str, Any]:
    """Return a role's entry point `main`."""
    return entry_points(role, root)["main"]


def entry_points(role: str, root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return all entry points of a role."""
    found: dict[str, dict[str, Any]] = load(root / "roles" / role / "meta/argument_specs.yml")[
        "argument_specs"
    ]
    return found


def results(role: str, root: Path = ROOT) -> dict[str, Any]:
    """Return what a role finds out, by the names of facts."""
    found: dict[str, Any] = load(root / "roles" / role / "meta/results.yml")
    return found


def defaults(role: str, root: Path = ROOT) -> dict[str, Any]:
    """Return a role's defaults."""
    found: dict[str, Any] = load(root / "roles" / role / "defaults/main.yml")
    return found


def shared(root: Path = ROOT) -> dict[str, Options]:
    """Return the shared inventory variables, by what they belong to: `server` and `machines`."""
    found = entry_points(SHARED, root)
    return {"server": found["main"]["options"], "machines": found["machine"]["options"]}


def markdown(text: str | Iterable[str]) -> str:
    """Turn a description, with Ansible's markup, into one paragraph of Markdown.

    >>> markdown(["A C(b), see P(homelab.netboot.machines#filter).", "V(x|y)."])
    'A `b`, see `homelab.netboot.machines`. `x|y`.'
    """
    joined = " ".join([text] if isinstance(text, str) else text)
    joined = re.sub(r"L\(([^,)]+),\s*([^)]+)\)", r"[\1](\2)", joined)
    joined = re.sub(r"U\(([^)]+)\)", r"<\1>", joined)
    joined = re.sub(r"B\(([^)]+)\)", r"**\1**", joined)
    joined = re.sub(r"I\(([^)]+)\)", r"*\1*", joined)
    joined = re.sub(r"\b[CVOEMP]\(((?:\\.|[^)\\])*)\)", lambda found: _code(found[1].split("#")[0]), joined)
    return " ".join(joined.split())


def _code(text: str) -> str:
    return f"`{text}`" if text else "(empty)"


def value(default: object) -> str:
    """Show a default as it would stand in YAML, on one line.

    >>> [value(one) for one in ("", "a", True, [], {"a": 1}, "{{ netboot_http_port | default(80) }}", None)]
    ['(empty)', '`a`', '`true`', '`[]`', '`{a: 1}`', '`{{ netboot_http_port | default(80) }}`', '']
    """
    if default is None:
        return ""
    if isinstance(default, str):
        return _code(default)
    text = yaml.safe_dump(default, default_flow_style=True, width=10000, allow_unicode=True)
    return _code(text.replace("\n...\n", "").strip())


def table(options: Options, values: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table of variables; `values` holds the defaults."""
    lines = ["| variable | type | default | description |", "|---|---|---|---|"]
    for name, option in options.items():
        kind = option.get("type", "str")
        if "elements" in option:
            kind += f" of {option['elements']}"
        default = "(required)" if option.get("required") else value(values.get(name, option.get("default")))
        description = markdown(option.get("description", ""))
        if "choices" in option:
            description += f" One of {', '.join(value(choice) for choice in option['choices'])}."
        lines.append(
            "| " + " | ".join(_cell(cell) for cell in (f"`{name}`", kind, default, description)) + " |"
        )
    return lines


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def read_by(role: str, root: Path = ROOT) -> tuple[Options, bool]:
    """Return the shared server variables that a role reads, and whether it reads the machines'."""
    files = (path for folder in READING for path in sorted((root / "roles" / role / folder).glob("*")))
    used = {name for path in files for name in re.findall(r"\b(?:__)?(netboot_\w+)", path.read_text())}
    server = {name: option for name, option in shared(root)["server"].items() if name in used}
    return server, "netboot_machines" in used


def example(role: str) -> str:
    """Return a play for a role that has no `examples`: all of its defaults."""
    return f"- hosts: netboot_servers\n  become: true\n  roles:\n    - role: {NAMESPACE}.{role}\n"


def role_readme(role: str, root: Path = ROOT) -> str:
    """Return the text of roles/ROLE/README.md."""
    main = spec(role, root)
    galaxy = load(root / "roles" / role / "meta/main.yml").get("galaxy_info", {})
    server, machines = read_by(role, root)
    systems = [f"{p['name']} ({', '.join(p['versions'])})" for p in galaxy.get("platforms", [])]
    lines = [
        # in two, or it would count as this file's own
        "<!-- SPDX-License-" + "Identifier: GPL-3.0-or-later -->",
        NOTE,
        f"# {NAMESPACE}.{role}",
        "",
        f"{main['short_description']}.",
        "",
        *(f"- {markdown(one)}" for one in _list(main.get("description"))),
        "",
        "## Requirements",
        "",
        f"- ansible-core {galaxy.get('min_ansible_version')} or later, and no other collection",
        f"- a host with {' or '.join(systems)}, as root (`become: true`)",
        *(f"- {markdown(one)}" for one in _list(main.get("requirements"))),
        "",
        "## Example",
        "",
        "```yaml",
        (main.get("examples") or example(role)).strip("\n"),
        "```",
        "",
        "## Variables",
        "",
        *table(main.get("options", {}), defaults(role, root)),
        "",
    ]
    if role != SHARED and server:
        lines += ["## Inventory variables that it reads", "", *table(server, {}), ""]
        if machines:
            lines += [
                "And of each machine, unless the machines are given as mappings:"
                f" {', '.join(f'`{name}`' for name in shared(root)['machines'])}."
                f" The [page of variables](../../docs/variables.md) describes them.",
                "",
            ]
    return "\n".join([*lines, *results_section(role, root), *other_entry_points(role, root, main)])


def other_entry_points(role: str, root: Path, main: dict[str, Any]) -> list[str]:
    """The lines about entry points besides `main`."""
    lines = []
    for name, one in entry_points(role, root).items():
        if name == "main":
            continue
        if one == main:
            lines += [
                f"With `tasks_from: {name}` it only reports what is wrong with the variables and the host.",
                "",
            ]
        else:
            texts = [f"- {markdown(text)}" for text in _list(one.get("description"))]
            lines += [f"## {one['short_description']}", "", *texts, "", *table(one["options"], {}), ""]
    return lines


def results_section(role: str, root: Path = ROOT) -> list[str]:
    """Return the lines that tell what a role finds out, for other roles and playbooks."""
    lines = []
    for name, result in results(role, root).items():
        rows = [
            f"| `{name}.{part}` | {one['type']} | {_cell(markdown(one['description']))} |"
            for part, one in result["contains"].items()
        ]
        lines += [
            markdown(result["description"]),
            "",
            "| fact | type | description |",
            "|---|---|---|",
            *rows,
            "",
        ]
    return ["## Results", "", *lines] if lines else []


def _list(text: str | list[str] | None) -> list[str]:
    return [text] if isinstance(text, str) else text or []


def quirks(root: Path = ROOT) -> list[str]:
    """Return the lines of the table of quirks, from the data that the filters use."""
    path = root / "plugins/plugin_utils/_inventory/quirks.py"
    if not path.exists():
        return []
    spec = importlib.util.spec_from_file_location("_quirks", path)
    assert spec is not None and spec.loader is not None  # noqa: PT018 - for mypy
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    lines = [
        "",
        "What `netboot_quirks` can be, by symptom:",
        "",
        "| symptom | quirk | what it does |",
        "|---|---|---|",
    ]
    return [*lines, *(f"| {row.symptom} | `{name}` | {row.effect} |" for name, row in module.QUIRKS.items())]


def top_table(root: Path = ROOT) -> str:
    """Return what stands between the markers in docs/variables.md."""
    lines = ["", "For the whole server (group `netboot_servers`, or all):", ""]
    lines += table(shared(root).get("server", {}), {})
    lines += ["", "For each machine (group `netboot_machines`):", ""]
    lines += table(shared(root).get("machines", {}), {})
    lines += quirks(root)
    for role in roles(root):
        if role == SHARED or not spec(role, root).get("options"):
            continue
        lines += ["", f"Role [`{role}`](../roles/{role}/README.md), when the above does not suffice:", ""]
        lines += table(spec(role, root).get("options", {}), defaults(role, root))
    return "\n".join([*lines, "", ""])


def wanted(root: Path = ROOT) -> dict[Path, str]:
    """Return {file: the text that it should have}; docs/variables.md only where it is."""
    texts = {root / "roles" / role / "README.md": role_readme(role, root) for role in roles(root)}
    page = root / "docs/variables.md"
    if page.exists():
        parts = re.split(f"(?<={BEGIN})|(?={END})", page.read_text())
        if len(parts) != 3:
            raise SystemExit(f"{page}: the variables go between one line {BEGIN} and one line {END}")
        texts[page] = parts[0] + top_table(root) + parts[2]
    return texts


def outdated(root: Path = ROOT) -> list[str]:
    """Return the files that are not as `wanted`, relative to `root`."""
    return [
        str(path.relative_to(root))
        for path, text in wanted(root).items()
        if not path.exists() or path.read_text() != text
    ]


def main() -> None:
    """Write or check; see the top of this file."""
    parser = argparse.ArgumentParser(description="Make the documentation of the roles' variables.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file is out of date")
    names = outdated()
    if parser.parse_args().check:
        if names:
            raise SystemExit(f"out of date: {', '.join(names)}: run `make docs`")
        return
    texts = wanted()
    for name in names:
        (ROOT / name).write_text(texts[ROOT / name])
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
