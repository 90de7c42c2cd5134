# SPDX-License-Identifier: GPL-3.0-or-later
"""One fact, one place: what the roles promise, what they do, and what is written about it agree."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.tests.tools import role_docs

ROOT = Path(__file__).parents[2]
ROLES = role_docs.roles(ROOT)
SHARED = role_docs.shared(ROOT)
FLAGS = re.MULTILINE | re.DOTALL


def test_roles_are_found() -> None:
    assert sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir()) == ROLES
    assert "pxe_dnsmasq" in ROLES


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_argument_specs_agree(role: str) -> None:
    options = role_docs.spec(role, ROOT)["options"]
    defaults = role_docs.defaults(role, ROOT)
    optional = {name: option for name, option in options.items() if not option.get("required")}
    assert set(defaults) == set(optional)
    for name, option in optional.items():
        if "default" in option:
            assert option["default"] == defaults[name], name
        else:  # where it is worked out from other variables, a specification cannot tell it
            assert "{{" in str(defaults[name]), f"{name}: argument_specs lacks the default"
    assert role_docs.entry_points(role).get("check", {"options": options})["options"] == options


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_described(role: str) -> None:
    for name, option in role_docs.spec(role, ROOT)["options"].items():
        assert role_docs.markdown(option["description"]).endswith("."), name
        assert "type" in option, name


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_has_the_prefix(role: str) -> None:
    for name in role_docs.defaults(role, ROOT):
        assert name.startswith(f"{role}_")
    for path in (ROOT / "roles" / role / "vars").glob("*.yml"):
        for name in role_docs.load(path):
            assert name.startswith(f"__{role}_"), path
    for folder in ("tasks", "handlers"):
        for path in (ROOT / "roles" / role / folder).glob("*.yml"):
            for name in _set_in(yaml.safe_load(path.read_text())):
                assert name.startswith(f"__{role}_") or name in role_docs.results(role), path


def _set_in(tasks: Any) -> list[str]:
    """Return the names that tasks set: register, loop_var, set_fact."""
    names = []
    if isinstance(tasks, list):
        names += [name for task in tasks for name in _set_in(task)]
    elif isinstance(tasks, dict):
        names += [tasks[key] for key in ("register", "loop_var", "index_var") if key in tasks]
        names += [name for name in tasks.get("ansible.builtin.set_fact", {}) if name != "cacheable"]
        names += [name for key in tasks for name in _set_in(tasks[key])]
    return names


def code_of(path: Path) -> str:
    """Return what of a role's or playbook's file is read by Ansible: no comments."""
    return "\n".join(
        line.partition(" #")[0] for line in path.read_text().splitlines() if not line.startswith("#")
    )


def sources(role: str) -> list[Path]:
    return [path for folder in role_docs.READING for path in (ROOT / "roles" / role / folder).glob("*")]


@pytest.mark.parametrize("role", ROLES)
def test_roles_read_shared_settings_that_exist_and_define_none(role: str) -> None:
    entries = role_docs.entry_points("netboot")
    asked = {name for part in ("packages", "remove", "silent") for name in entries[part]["options"]}
    known = {*SHARED["server"], *role_docs.results("netboot"), *asked, "netboot_servers"}
    for path in sources(role):
        code = " ".join(
            re.findall(r"{[{%].*?[%}]}|^ *(?:when|that|until|\w+_when):[^\n]*", code_of(path), FLAGS)
        )
        assert set(re.findall(r"(?<![\w.])netboot_[a-z_]+", code)) <= known, path
    if role != "netboot":
        assert not {name for name in role_docs.defaults(role) if name.startswith("netboot_")}


#: Every name that begins as a role's variables do: (role, name).
def foreign(text: str, own: str) -> list[tuple[str, str]]:
    names = set(re.findall(r"(?<![\w./])(?:__)?[a-z]\w+", text))
    return sorted(
        (role, name)
        for name in names
        for role in ROLES
        if role not in (own, "netboot") and re.match(rf"(__)?{role}_", name)
    )


@pytest.mark.parametrize(
    "path",
    sorted({*ROOT.glob("playbooks/*.yml"), *(path for role in ROLES for path in sources(role))}),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_what_is_not_the_own_role_s_is_public(path: Path) -> None:
    """Of another role only its variables, to set them, and its results are used; nothing that begins with `__`."""
    own = path.relative_to(ROOT).parts[1] if "roles" in path.parts else ""
    for role, name in foreign(code_of(path), own):
        assert name in {*role_docs.defaults(role), *role_docs.results(role)}, f"{name} of {role}"


def test_a_private_or_renamed_variable_of_another_role_is_found() -> None:
    assert foreign("{{ __pxe_http_root }} {{ pxe_http_result.x }}", "pxe_dnsmasq") == [
        ("pxe_http", "__pxe_http_root"),
        ("pxe_http", "pxe_http_result"),
    ]
    assert foreign("{{ __pxe_http_root }}", "pxe_http") == []


def test_shared_variables_are_the_ones_that_the_filters_know() -> None:
    prefix = machines.PREFIX
    servers = {*SHARED["server"], *role_docs.results("netboot")} - set(SHARED["machines"])
    assert servers == {prefix + name for name in machines.SHARED}
    assert set(SHARED["machines"]) == {prefix + name for name in machines.DEFAULTS}
    for name, option in SHARED["machines"].items():
        setting = name[len(prefix) :]
        assert option.get("default") == machines.DEFAULTS[setting], name
        choices = machines.CHOICES.get(setting) or machines.WORDS.get(setting, ())
        assert tuple(option.get("choices", ())) == tuple(choices), name
    for options in SHARED.values():
        for name, option in options.items():
            assert role_docs.markdown(option["description"]).endswith("."), name


def test_readmes_are_what_the_generator_makes() -> None:
    assert role_docs.outdated(ROOT) == [], "run `make docs`"


def test_an_outdated_readme_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "roles", tmp_path / "roles")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/variables.md").write_text(f"top\n{role_docs.BEGIN}\n{role_docs.END}\nbottom\n")
    assert role_docs.outdated(tmp_path) == ["docs/variables.md"]
    text = role_docs.wanted(tmp_path)[tmp_path / "docs/variables.md"]
    assert text.startswith(f"top\n{role_docs.BEGIN}\n")
    assert text.endswith(f"\n{role_docs.END}\nbottom\n")
    assert "| `netboot_mac` | str | (required) |" in text
    (tmp_path / "docs/variables.md").write_text(text)
    assert role_docs.outdated(tmp_path) == []
    defaults = tmp_path / "roles/pxe_http/defaults/main.yml"
    defaults.write_text(defaults.read_text().replace("64k", "65k"))
    assert role_docs.outdated(tmp_path) == ["roles/pxe_http/README.md", "docs/variables.md"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ["A C(b), see P(homelab.netboot.machines#filter).", "V(x|y)."],
            "A `b`, see `homelab.netboot.machines`. `x|y`.",
        ),
        (
            "L(name, http://a/b) and U(http://c/d), B(bold) I(italic) V()",
            "[name](http://a/b) and <http://c/d>, **bold** *italic* (empty)",
        ),
        ("one\ntwo", "one two"),
    ],
)
def test_markup(text: str | list[str], expected: str) -> None:
    assert role_docs.markdown(text) == expected


def test_values_are_shown_as_yaml_in_one_line() -> None:
    values: list[Any] = ["", "a", True, [], {"a": 1}, "{{ x | default(80) }}", None]
    shown = [role_docs.value(one) for one in values]
    assert shown == ["(empty)", "`a`", "`true`", "`[]`", "`{a: 1}`", "`{{ x | default(80) }}`", ""]
    assert role_docs.table({"a": {"default": "x|y"}}, {})[2] == r"| `a` | str | `x\|y` |  |"
