# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that pages, messages, documentation of modules and names of tasks are plain English: prose.py [FILE ...]

prose.yml says what that is. Vale and textlint would do this, too; but Vale comes from no registry of packages, and
textlint needs a newer Node.js than Debian 12 and Ubuntu 24.04 have. Spelling is codespell's.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
STYLE = yaml.safe_load((ROOT / "tests/tools/prose.yml").read_text(encoding="utf-8"))
WORDS = {**STYLE["plain"], **STYLE["one_word"]}
PAGES = ("*.md", "docs/*.md", "roles/*/README.md", "tests/**/*.md")
CODE = ("plugins/**/*.py",)
TASKS = ("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "playbooks/**/*.yml")
#: Python's names for the documentation of a plugin, and the keys of it that are text.
_DOCUMENTED = ("DOCUMENTATION", "RETURN")
_TEXTS = ("description", "short_description", "notes")
#: What stands for a part of a paragraph that is no text.
_INSTEAD = {"code_inline": "code", "softbreak": " ", "hardbreak": " "}
_END = re.compile(r"(?<=[.!?;:])[)\"*_]*\s+|\n")
_WORD = re.compile(r"\w[\w'./+-]*")
#: A text that a person reads, not a name, a pattern, or a line for a program: a sentence's words.
_MESSAGE = re.compile(r"[a-z]{2,},? [a-z]{2,},? [a-z]{3,}")
_LIST = re.compile(r"\n[\sa-z0-9_-]+")
_WRONG = [(re.compile(rf"(?i)(?<![\w./-]){re.escape(word)}(?![\w/-])"), word) for word in WORDS]


def of_page(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each paragraph, heading and cell of a page; code is one word, and blocks of it are left out.

    >>> list(of_page("# A `b c`\\n\\n> d\\ne\\n"))
    [(1, 'A code'), (3, 'd e')]
    """
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "inline":
            said = "".join(
                one.content if one.type == "text" else _INSTEAD.get(one.type, "")
                for one in token.children or []
            )
            yield (token.map or [0])[0] + 1, said


def of_tasks(value: Any) -> Iterator[tuple[int, str]]:
    """Names, questions and messages of tasks; what Jinja puts into them is one word. YAML tells no lines, so 1.

    Of all else, the texts of several words that Jinja chooses from.

    >>> list(of_tasks([{"name": "Do it", "x": {"fail_msg": "No {{ a }}."}}]))
    [(1, 'Do it'), (1, 'No code.')]
    >>> list(of_tasks({"msg": "{{ 'There is but one ' ~ a if b else '' }}"}))
    [(1, 'There is but one '), (1, 'code')]
    """
    if isinstance(value, list):
        for one in value:
            yield from of_tasks(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, str):
                yield from ((1, said) for said in _chosen(one))
            if key in ("name", "fail_msg", "msg", "prompt") and isinstance(one, str):
                yield 1, re.sub(r"(?s)\{\{.*?\}\}|\{%.*?%\}", "code", one)
            else:
                yield from of_tasks(one)


def _chosen(text: str) -> Iterator[str]:
    for code in re.findall(r"(?s)\{\{(.*?)\}\}", text):
        yield from filter(_MESSAGE.search, re.findall(r"'([^']*)'", code))


def of_code(text: str) -> Iterator[tuple[int, str]]:
    """What a program says, and the documentation of a plugin; a value that is put into a text is one word.

    Any text of several words counts but docstrings, which are for those who change the code.

    >>> list(of_code("def a(b):\\n    'It does c.'\\n    raise D(f'There is no {b}' ' here.')\\n"))
    [(3, 'There is no code here.')]
    >>> list(of_code("DOCUMENTATION = 'a: {description: [It is b.], c: d e}'\\nEXAMPLES = 'f g'"))
    [(1, 'It is b.')]
    """
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            said = _said(node)
            if _MESSAGE.search(said) and not _LIST.fullmatch(said):
                yield node.lineno, said
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in _DOCUMENTED:
            documented = yaml.safe_load(ast.literal_eval(node.value))
            yield from ((node.lineno, one) for one in _documented(documented))
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):  # that is a docstring
            waiting += [one for one in ast.iter_child_nodes(node) if not _is_examples(one)]


def _said(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_said, node.values))
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "code"


def _is_examples(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES"


def _documented(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        value = dict(enumerate(value))
    for key, one in value.items() if isinstance(value, dict) else ():
        if key in _TEXTS and not isinstance(one, dict):
            yield from (
                re.sub(r"\b[A-Z]{1,3}\([^)]*\)", "code", text)
                for text in ([one] if isinstance(one, str) else one)
            )
        else:
            yield from _documented(one)


def faults(text: str) -> Iterator[str]:
    """What is wrong with a paragraph.

    >>> list(faults("It boots via PXE. " + "so " * 31))[0]
    '\u201cvia\u201d: write \u201cby\u201d'
    >>> [fault[:12] for fault in faults("so " * 31 + ".")]
    ['31 words; at']
    >>> list(faults("Short; and good: " + "so " * 30))
    []
    """
    for pattern, word in _WRONG:
        if pattern.search(text):
            yield f"\u201c{word}\u201d: write \u201c{WORDS[word]}\u201d"
    for sentence in _END.split(text):
        number = len(_WORD.findall(sentence))
        if number > STYLE["words"]:
            yield f"{number} words; at most {STYLE['words']}: {' '.join(sentence.split()[:8])} …"


READERS: dict[str, Callable[[str], Iterator[tuple[int, str]]]] = {
    ".md": of_page,
    ".py": of_code,
    ".yml": lambda text: of_tasks(yaml.safe_load(text)),
}


def main(names: list[str]) -> int:
    """Print each fault with its place; return 1 when there is one."""
    found = 0
    paths = [Path(name).resolve() for name in names] or [
        path for pattern in (*PAGES, *CODE, *TASKS) for path in sorted(ROOT.glob(pattern))
    ]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for line, part in READERS[path.suffix](text):
            for fault in faults(part):
                found += 1
                print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}:{line}: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
