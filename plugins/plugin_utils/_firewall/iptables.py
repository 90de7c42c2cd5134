# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The rules of iptables, whichever kernel interface it uses; ufw's are among them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from .rules import Chain, Condition, Rule, Table

#: What a packet for this host passes, by the names that iptables(8) gives.
_BASE = ("PREROUTING", "INPUT")
_TABLES = ("raw", "mangle", "filter")
_CONDITIONS = {
    "-s": "saddr",
    "-d": "daddr",
    "-i": "iif",
    "-p": "proto",
    "--ctstate": "state",
    "--state": "state",
    "--dport": "dport",
    "--dports": "dport",
    "--sport": "sport",
    "--sports": "sport",
    "--src-range": "saddr",
    "--dst-range": "daddr",
    "--dst-type": "type",
    "--pkt-type": "type",
}
#: Says nothing about which packets are meant.
_PASSED_OVER = ("-m", "--limit", "--limit-burst", "--comment")
_TARGETS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return"}
_KINDS = {"-j": "jump", "-g": "goto"}
# The kernel's words for what is in our packets.
_WORDS = {"host": "local", "all": "0.0.0.0/0"}


def tables(saved: Iterable[str]) -> list[Table]:
    """Return the tables that C(iptables-save) printed, but for those that no packet for this host passes."""
    found: dict[str, dict[str, Chain]] = {}
    name = ""
    for line in saved:
        if line.startswith("*"):
            name = line[1:].strip()
            found[name] = {}
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            found[name][chain] = Chain(policy.lower() if chain in _BASE and policy != "-" else "")
        elif line.startswith("-A "):
            words = shlex.split(line)
            found[name][words[1]].rules.append(_rule(words[2:], found[name]))
    return [Table("iptables", name, chains) for name, chains in found.items() if name in _TABLES]


def _rule(words: list[str], chains: dict[str, Chain]) -> Rule:
    conditions, verdict, comment = [], "", ""
    for option, value, negated in _options(words):
        if option in _KINDS:
            verdict = _TARGETS.get(value) or (f"{_KINDS[option]} {value}" if value in chains else "")
        elif option == "--comment":
            comment = value
        elif option not in _PASSED_OVER:
            values = [_WORDS.get(one, one) for one in value.lower().replace(":", "-").split(",")]
            if option == "-i":
                values = [value]
            conditions.append(Condition(_CONDITIONS.get(option, option), tuple(values), negated))
    return Rule(tuple(conditions), verdict, comment)


def _options(words: list[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield option, value, whether negated; up to the target, whose own options say nothing here."""
    negated, option = False, ""
    for word in words:
        if word == "!":
            negated = True
        elif word.startswith("-") and not option:
            option = word
        elif option and not word.startswith("-"):
            yield option, word, negated
            if option in _KINDS:
                return
            negated, option = False, ""
        else:  # an option without a value
            yield option, "", negated
            negated, option = False, word if word.startswith("-") else ""
