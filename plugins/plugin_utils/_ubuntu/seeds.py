# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The files that cloud-init fetches from its seed, with Subiquity's autoinstall inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    REPORTER,
    SEED,
    SEED_FILES,
    SERVER,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, gather
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.networks import of as networks_of
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import (
    apt_cache,
    autoinstall,
    check,
    live,
    names,
    releases,
)

# libyaml's, where it is there, writes the same ten times faster.
_FASTEST = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
#: What is generated, and the setting that it comes from; the longest that fits.
_GENERATED: Mapping[tuple[Any, ...], str] = {
    ("identity", "password"): "password_hash",
    ("identity", "username"): "user",
    ("user-data", "users", 0, "name"): "user",
    ("user-data", "users", 0, "passwd"): "password_hash",
    ("user-data", "users", 0, "ssh_authorized_keys"): "ssh_keys",
    ("ssh", "authorized-keys"): "ssh_keys",
    ("storage", "layout", "match"): "disk",
    ("network",): "network",
}


def files(
    machines: Iterable[Mapping[str, Any]],
    networks: Sequence[Mapping[str, Any]] = (),
    *,
    cached: bool = False,
) -> dict[str, str]:
    """Return the seeds in the plan: C(seed/NAME/user-data) and so on → content, for every machine to be installed.

    Of what is the same in all of them, the programs, C(program/FILE) has the text, and user-data a mark.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them; C(release) as far as it is known.
    :param networks: the server's, C(netboot_result.networks), and those of its caches. A machine reports to the address
        in its own, or, where it may boot in several, to the one that it has the seed from. Without any, it does not
        report.
    :param cached: whether apt of the installer goes through the server's cache of packages.
    :raises InputError: with everything that the installer would not do as it is written; also when nobody could log in.
    """
    plan: dict[str, str] = {}
    for machine, told in checked(machines):
        roots = [str(one["base_url"]) for one in networks_of(machine, networks)]
        base_url = SERVER if len(roots) > 1 else "".join(roots)
        user_data = {
            "autoinstall": autoinstall.with_own(told, machine, base_url, caches=roots if cached else ()),
            "write_files": live.files(machine, base_url),
        }
        contents = (
            "#cloud-config\n" + _yaml(user_data),
            _yaml({"instance-id": machine["name"]}),
            # Empty answers cost nothing; a 404 would be asked for again, for ten seconds.
            "",
            "",
        )
        plan.update(
            {
                f"{SEED}/{machine['name']}/{name}": text
                for name, text in zip(SEED_FILES, contents, strict=True)
            }
        )
    return {**live.programs(), **plan} if plan else {}


def checked(machines: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Return every machine to be installed, and what Subiquity is told of it without the commands of our own.

    :param machines: as L(files) has them.
    :raises InputError: as L(files).
    """
    found, faults = [], []
    for machine in machines:
        if machine["install"] == "never":
            continue
        release = releases.find(machine.get("release"))
        told = autoinstall.settings(machine, release)
        faults += [(machine["name"], fault) for fault in _faults(machine, told, release.version)]
        found.append((machine, told))
    if faults:
        raise InputError("The installations are not usable", gather(faults))
    return found


def doubts(machines: Iterable[Mapping[str, Any]], *, cached: bool = False) -> list[str]:
    """Return what may be wrong, and nobody here can tell, each once with its machines.

    :param machines: as L(files) finds nothing wrong with them.
    :param cached: as L(files) has it.
    """
    found = []
    for machine in machines:
        if machine["install"] != "never" and autoinstall.has_own_call(machine):
            path = ("user-data", autoinstall.CALL)
            text = (
                "is yours, so this server is not told when the machine has started: its state stays installed"
            )
            found.append((machine["name"], f"{_variable(machine, path)}: {check.text_of(path)}: {text}"))
        if cached and machine["install"] != "never":
            found += [(machine["name"], text) for text in _past_the_cache(machine)]
        name = autoinstall.wanted(machine).get("locale")
        doubt = (
            names.strange_locale(name) if isinstance(name, str) and machine["install"] != "never" else None
        )
        if doubt:
            found.append((machine["name"], f"{_variable(machine, ('locale',))}: locale: '{name}' {doubt}"))
    return gather(found)


def _past_the_cache(machine: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of the machine's packages does not go through the server's cache, though there is one."""
    given = autoinstall.wanted(machine)
    path = apt_cache.own_proxy(given)
    if path:
        variable = _variable(machine, tuple(path.split(".")))
        yield f"{variable}: {path}: is yours, so the server's cache of packages (netboot_apt_cache) is not used"
        return
    for host in apt_cache.by_tls(given):
        variable = _variable(machine, ("apt",))
        yield f"{variable}: apt: {host} is asked by https, so its packages are not cached (netboot_apt_cache)"


def _faults(machine: Mapping[str, Any], told: Mapping[str, Any], release: str) -> Iterator[str]:
    """Yield what is wrong with one machine's installation, each with the variable and the remedy."""
    given = autoinstall.wanted(machine)
    if machine["network"] and "network" in given:
        yield f"netboot_network: is not used, as {_variable(machine, ('network',))} says all of it; remove one of them"
    if machine["disk"] and autoinstall.has_config(given):
        yield (
            "netboot_disk: is not used, as there is a storage.config; remove it, and say it there, as the disk's match"
        )
    cloud = told.get("user-data")
    if isinstance(cloud, Mapping):
        for key in sorted(machine["cloud_config"].keys() & cloud.keys()):
            place = ("user-data", key)
            yield (
                f"{_variable(machine, place)}: {check.text_of(place)}: does not go with netboot_host_keys: controller;"
                " remove one of them"
            )
    reporting = told.get("reporting")
    if isinstance(reporting, Mapping) and REPORTER in reporting:
        yield (
            f"{_variable(machine, ('reporting', REPORTER))}: reporting.{REPORTER}: the server's own report"
            " has this name; give yours another one"
        )
    for path, text in check.faults(told, release):
        variable = _variable(machine, path)
        for generated, setting in sorted(_GENERATED.items(), key=lambda item: -len(item[0])):
            if not variable and path[: len(generated)] == generated:
                variable, path = f"netboot_{setting}", path[len(generated) :]  # noqa: PLW2901
        if not path and not variable:
            yield text
        else:
            yield ": ".join(filter(None, [variable or "netboot_autoinstall", check.text_of(path), text]))


def _variable(machine: Mapping[str, Any], path: tuple[Any, ...]) -> str:
    """Return the variable that says what stands at this path: the highest layer that has it; or nothing."""
    for layer in reversed(autoinstall.LAYERS):
        here = machine[layer]
        for part in path:
            has = (
                part in here
                if isinstance(here, Mapping)
                else isinstance(here, list) and part in range(len(here))
            )
            if not has:
                break
            here = here[part]
        else:
            if path:
                return f"netboot_{layer}"
    return ""


class _Dumper(_FASTEST):  # type: ignore[misc, valid-type]
    """Writes programs line by line, so that whoever reads user-data can read them; and what comes twice, twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return that there are none."""
        return True


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def _yaml(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return text
