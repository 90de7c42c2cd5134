# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that pages, messages and names of tasks are plain English: prose.py [FILE ...]

prose.yml says what that is. Vale and textlint would do this, too; but Vale comes from no registry of packages, and
textlint needs a newer Node.js than Debian 12 and Ubuntu 24.04 have. Spelling is codespell's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
STYLE = yaml.safe_load((ROOT / "tests/tools/prose.yml").read_text(encoding="utf-8"))
WORDS = {**STYLE["plain"], **STYLE["one_word"]}
PAGES = ("*.md", "docs/*.md", "roles/*/README.md", "tests/**/*.md")
TASKS = ("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "playbooks/**/*.yml")
#: What stands for a part of a paragraph that is no text.
_INSTEAD = {"code_inline": "code", "softbreak": " ", "hardbreak": " "}
_END = re.compile(r"(?<=[.!?;:])[)\"*_]*\s+|\n")
_WORD = re.compile(r"\w[\w'./+-]*")
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

    >>> list(of_tasks([{"name": "Do it", "x": {"fail_msg": "No {{ a }}."}}]))
    [(1, 'Do it'), (1, 'No code.')]
    """
    if isinstance(value, list):
        for one in value:
            yield from of_tasks(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in ("name", "fail_msg", "msg", "prompt") and isinstance(one, str):
                yield 1, re.sub(r"(?s)\{\{.*?\}\}|\{%.*?%\}", "code", one)
            else:
                yield from of_tasks(one)


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


def main(names: list[str]) -> int:
    """Print each fault with its place; return 1 when there is one."""
    found = 0
    paths = [Path(name).resolve() for name in names] or [
        path for pattern in (*PAGES, *TASKS) for path in sorted(ROOT.glob(pattern))
    ]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        parts = of_page(text) if path.suffix == ".md" else of_tasks(yaml.safe_load(text))
        for line, part in parts:
            for fault in faults(part):
                found += 1
                print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}:{line}: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
