# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The rules of nftables as C(nft -j) lists them, libnftables-json(5); firewalld's are among them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .rules import Chain, Condition, Rule, Table

_FAMILIES = ("ip", "inet")
_HOOKS = ("prerouting", "input")
_NAMES: Mapping[tuple[str, str], str] = {
    ("meta", "iifname"): "iif",
    ("meta", "iif"): "iif",
    ("meta", "l4proto"): "proto",
    ("meta", "nfproto"): "family",
    ("meta", "pkttype"): "type",
    ("ct", "state"): "state",
    ("ip", "saddr"): "saddr",
    ("ip", "daddr"): "daddr",
    ("ip", "protocol"): "proto",
    **{(one, end): end for one in ("tcp", "udp", "th") for end in ("dport", "sport")},
}
_WORDS = {"host": "local", "unicast": "local"}


def tables(text: str, without: set[str]) -> list[Table]:
    """Return the tables of IPv4 that C(nft -j list ruleset) printed.

    :param without: names of tables of the family C(ip) that iptables has listed: it knows what nft cannot show.
    """
    objects = json.loads(text)["nftables"] if text.strip() else []
    found: dict[tuple[str, str], dict[str, Chain]] = {}
    sets = {(one["family"], one["table"], one["name"]): one.get("elem", []) for one in _of("set", objects)}
    for one in _of("chain", objects):
        base = one.get("type") == "filter" and one.get("hook") in _HOOKS
        chains = found.setdefault((one["family"], one["table"]), {})
        chains[one["name"]] = Chain(one.get("policy", "accept") if base else "")
    for one in _of("rule", objects):
        named = {
            name: elements
            for (*where, name), elements in sets.items()
            if where == [one["family"], one["table"]]
        }
        chain = found[one["family"], one["table"]][one["chain"]]
        chain.rules.extend(_rules(one.get("expr", []), named, one.get("comment", "")))
    return [
        Table("nft", f"{family} {name}", chains)
        for (family, name), chains in found.items()
        if family in _FAMILIES and not (family == "ip" and name in without)
    ]


def _of(kind: str, objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from (one[kind] for one in objects if kind in one)


def _rules(expressions: list[Any], named: Mapping[str, list[Any]], comment: str) -> Iterator[Rule]:
    """Yield the rule; for a map of verdicts, one for each of its entries."""
    conditions: list[Condition] = []
    for one in expressions:
        kind, value = _named(one)
        if kind == "match":
            conditions += _conditions(value["left"], value["right"], value["op"], named)
        elif kind == "vmap":
            for key, verdict in _elements(value["data"], named):
                chosen = (*conditions, *_conditions(value["key"], key, "==", named))
                yield Rule(chosen, _verdict(verdict), comment)
        elif kind == "xt" and value.get("type") == "match" and value.get("name") != "comment":
            conditions.append(Condition("xt", ()))
        elif _verdict(one):
            yield Rule(tuple(conditions), _verdict(one), comment)


def _named(expression: Any) -> tuple[str, Any]:
    """Return the only key of an expression, and what it holds."""
    return next(iter(expression.items())) if isinstance(expression, dict) else (str(expression), None)


def _verdict(expression: Any) -> str:
    kind, value = _named(expression)
    if kind in ("jump", "goto"):
        return f"{kind} {value['target']}"
    return {"reject": "drop"}.get(kind, kind if kind in ("accept", "drop", "return") else "")


def _conditions(left: Any, right: Any, operator: str, named: Mapping[str, list[Any]]) -> list[Condition]:
    name, more = _name(left)
    values = tuple(_text(one) for one in _elements(right, named))
    if name == "iif":
        values = tuple(map(str, _elements(right, named)))
    return [*more, Condition(name if operator in ("==", "!=", "in") else "", values, operator == "!=")]


def _name(left: Any) -> tuple[str, list[Condition]]:
    """Return which part of a packet is meant, and what else it implies: a port of UDP is one in a packet of UDP."""
    kind, what = _named(left)
    if not isinstance(what, dict):
        return "", []
    if kind == "payload" and "protocol" in what:
        protocol = what["protocol"]
        more = [Condition("proto", (protocol,))] if protocol in ("tcp", "udp") else []
        return _NAMES.get((protocol, what.get("field", "")), ""), more
    if kind == "fib" and what.get("result") == "type" and "daddr" in what.get("flags", []):
        return "type", []
    return _NAMES.get((kind, what.get("key", "")), ""), []


def _elements(right: Any, named: Mapping[str, list[Any]]) -> list[Any]:
    if isinstance(right, str) and right.startswith("@"):
        return named.get(right[1:], [])
    if isinstance(right, dict) and "set" in right:
        return right["set"] if isinstance(right["set"], list) else [right["set"]]
    return right if isinstance(right, list) else [right]


def _text(value: Any) -> str:
    if isinstance(value, dict) and "elem" in value:
        value = value["elem"].get("val") if isinstance(value["elem"], dict) else value["elem"]
    if isinstance(value, dict) and "prefix" in value:
        return f"{value['prefix']['addr']}/{value['prefix']['len']}"
    if isinstance(value, dict) and "range" in value:
        return "-".join(map(str, value["range"]))
    return _WORDS.get(str(value), str(value))
