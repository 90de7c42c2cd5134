# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Whether Subiquity will do what an autoinstall mapping says, told to people before anything is served."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, near, suggest
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import traps
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.schema import SCHEMA

# Now, while Ansible's own process reads the filters, and not in the process of each task. Its absence is told later.
with contextlib.suppress(ImportError):
    importlib.import_module("jsonschema")

Fault = traps.Fault

_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
}
_LONGEST_TOLD = 64
#: So many words are not listed when a good guess is there.
_MANY = 8
#: From here on a key that may be free is taken for a mistyped one.
_ALIKE = 0.8


def faults(told: Mapping[str, Any], release: str = "") -> list[Fault]:
    """Return every fault, each as a path and a text that names the remedy.

    :param told: the mapping below the key C(autoinstall), in plain types.
    :param release: of Ubuntu, such as V(24.04); nothing means unknown, and only what no release takes is a fault.
    :raises InputError: when the library jsonschema is missing.
    """
    found: list[Fault] = []
    good: dict[str, Any] = {}
    for key, value in told.items():
        of_section = _section(key, json.dumps(value, sort_keys=True, default=str), release)
        found += of_section
        if not of_section:
            good[key] = value
    found += [((), f"needs the key {key}") for key in SCHEMA["required"] if key not in told]
    return found + list(traps.whole(good, told.keys() - good.keys()))


@functools.lru_cache(maxsize=100_000)
def _section(key: str, content: str, release: str) -> list[Fault]:
    """Return the faults of one top-level section; thousands of machines share most of theirs."""
    if key not in SCHEMA["properties"]:
        return [((key,), f"no such key; {suggest(key, SCHEMA['properties'])}")]
    value = json.loads(content)
    errors = sorted(
        _validator(release, key).iter_errors(value), key=lambda error: [str(part) for part in error.path]
    )
    found = [((key, *error.absolute_path, *getattr(error, "more", ())), error.message) for error in errors]
    return found or list(traps.sections(key, value))


@functools.cache
def _validator(release: str, key: str) -> Any:
    """Return the compiled schema of one section."""
    jsonschema = _library()
    base = jsonschema.Draft202012Validator
    words: dict[str, Any] = {name: _plainly(check, base.VALIDATORS[name]) for name, check in _TEXTS.items()}
    words.update(
        additionalProperties=_additional(base.VALIDATORS["additionalProperties"]),
        near=_near,
        since=_since(release),
        since_values=_since_values(release),
        required=_required,
        never=_never,
    )
    return jsonschema.validators.extend(base, words)(SCHEMA["properties"][key])


@functools.cache
def _library() -> Any:
    """Return the library jsonschema. Asked for when it is needed, so that its absence is told with the remedy."""
    try:
        return importlib.import_module("jsonschema")
    except ImportError as error:
        raise InputError(
            "The installations cannot be checked",
            [
                "the Python that runs Ansible lacks the library jsonschema, 4.0 or newer; install it there: "
                "`apt install python3-jsonschema`, `pip install jsonschema` or `pipx inject ansible-core jsonschema`"
            ],
        ) from error


def _fault(text: str, *more: Any) -> Any:
    """Return an error of the library with our text; C(more) goes on with the path, to a key that is in question."""
    error = _library().ValidationError(text)
    error.more = more
    return error


Check = Callable[[Any, Any, Any, Any], Iterator[Any]]


def _plainly(text: Callable[[Any, Any], str], check: Check) -> Check:
    """Return a keyword of the library that says in our words what it found; C(say) of the schema comes last."""

    def keyword(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
        if any(True for dummy in check(validator, wanted, value, schema) or ()):
            say = f"; {schema['say']}" if "say" in schema else ""
            yield _fault(text(wanted, value) + say)

    return keyword


def _type(wanted: Any, dummy: Any) -> str:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    return "must be " + " or ".join(_KINDS[kind] for kind in kinds)


def _enum(wanted: Any, value: Any) -> str:
    words = [json.dumps(word) if not isinstance(word, str) else word for word in wanted]
    if not isinstance(value, str) or len(value) > _LONGEST_TOLD:
        return f"must be one of {', '.join(words)}"
    guess = near(value, words)
    if not guess:
        return f"'{value}' is not one of {', '.join(words)}"
    return (
        f"'{value}' is not known; did you mean {guess}?"
        if len(words) > _MANY
        else (f"'{value}' is not one of {', '.join(words)}; did you mean {guess}?")
    )


#: Keywords of the library and what is said. Values are told only where a few words are to choose from.
_TEXTS: Mapping[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "enum": _enum,
    "pattern": lambda dummy, dummy2: "is not written as it must be",
    "minLength": lambda dummy, dummy2: "must not be empty",
    "minItems": lambda dummy, dummy2: "must not be empty",
    "minProperties": lambda dummy, dummy2: "must not be empty",
    "maxProperties": lambda wanted, dummy: f"must have {wanted} key",
}


def _required(dummy: Any, wanted: Any, value: Any, dummy2: Any) -> Iterator[Any]:
    for key in wanted if isinstance(value, dict) else ():
        if key not in value:
            yield _fault(f"needs the key {key}")


def _additional(check: Check) -> Check:
    def keyword(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
        if wanted is not False:
            yield from check(validator, wanted, value, schema)
        elif isinstance(value, dict):
            for key in value:
                if key not in schema["properties"]:
                    yield _fault(f"no such key; {suggest(key, schema['properties'])}", key)

    return keyword


def _near(dummy: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
    for key in value if wanted and isinstance(value, dict) else ():
        guess = "" if key in schema["properties"] else near(key, schema["properties"], _ALIKE)
        if guess:
            yield _fault(f"no such key; did you mean {guess}?", key)


def _never(dummy: Any, wanted: Any, dummy2: Any, dummy3: Any) -> Iterator[Any]:
    yield _fault(wanted)


def _since(release: str) -> Check:
    def keyword(dummy: Any, wanted: Any, dummy2: Any, dummy3: Any) -> Iterator[Any]:
        if release and release < wanted:
            yield _fault(_too_new(release, wanted))

    return keyword


def _since_values(release: str) -> Check:
    def keyword(dummy: Any, wanted: Any, value: Any, dummy2: Any) -> Iterator[Any]:
        if release and isinstance(value, str) and release < wanted.get(value, ""):
            yield _fault(f"'{value}': {_too_new(release, wanted[value])}")

    return keyword


def _too_new(release: str, first: str) -> str:
    return f"Ubuntu {release}'s installer does not know it, that of {first} does; leave it out or take another image"


def text_of(path: Iterable[Any]) -> str:
    """Return a path as people write it: C(storage.config[2].device)."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
