# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for the documentation site: `make docs-site`.

tests/tools/docs_site.sh lays out the sources as they lie in the repository, so that links from page to page hold:
README.md as index.md, CONTRIBUTING.md, docs/, and what antsibull-docs makes in reference/.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes

ROOT = Path(__file__).resolve().parents[2]
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
REFERENCE = "Roles, modules and plugins"
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"

project = f"{GALAXY['namespace']}.{GALAXY['name']}"
author = ", ".join(GALAXY["authors"])
project_copyright = author
version = release = GALAXY["version"]
extensions = ["myst_parser", "sphinx_antsibull_ext"]
exclude_patterns = ["docs/docsite"]
nitpicky = True
myst_heading_anchors = 4
antsibull_ext_color_scheme = "default-autodark"
html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_use_index = False

_LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)\s#]+)(?=[)#])")


def pages(readme: str) -> list[str]:
    """What the table at the end of the README leads to, in its order: the site's order, too.

    >>> pages("[a](docs/b.md)\\n## Read on\\n| [Images](docs/images.md), [how](CONTRIBUTING.md) | …")
    ['docs/images.md', 'CONTRIBUTING.md']
    """
    return re.findall(r"\]\(([^)]+\.md)\)", readme.partition("\n## Read on\n")[2].partition("\n## ")[0])


def target(link: str, folder: str) -> str:
    """Where a link from a page in that folder of the repository leads on the site.

    >>> target("../roles/pxe_http/README.md", "docs")
    '/reference/pxe_http_role.rst'
    >>> target("variables.md", "docs")
    '/docs/variables.md'
    """
    path = posixpath.normpath(posixpath.join(folder, link))
    role = re.fullmatch(r"roles/(\w+)/README\.md", path)
    if role:
        return f"/reference/{role[1]}_role.rst"
    if path == "README.md":
        return "/index.md"
    if path == "CONTRIBUTING.md" or path.startswith("docs/"):
        return f"/{path}"
    return f"{GALAXY['repository']}/blob/main/{path}"


def read_reference(text: str) -> str:
    """Leave out the contents, which the theme shows at the side, and let the index name all pages shortly.

    >>> read_reference("Homelab.Netboot\\n===\\n.. contents::\\n   :local:\\n\\n.. toctree::\\n\\n    a_b_filter\\n")
    'Roles, modules and plugins\\n==========================\\n\\n.. toctree::\\n\\n    a_b filter <a_b_filter>\\n'
    """
    text = re.sub(r"(?m)^\.\. contents::\n(?: +:.*\n)*", "", text)
    text = main_first(text)
    text = re.sub(r"(?m)^Homelab\.Netboot\n=+$", f"{REFERENCE}\n{'=' * len(REFERENCE)}", text)
    return re.sub(r"(?m)^    (\w+)_(filter|inventory|module|role)$", r"    \1 \2 <\1_\2>", text)


def main_first(text: str) -> str:
    """Put a role's entry point `main` before the others, which antsibull-docs sorts by name.

    >>> start, end = ".. _x_role__entrypoint-", ".. Extra links\\n"
    >>> main_first(f"title\\n{start}check:\\n1\\n{start}main:\\n2\\n{end}") == (
    ...     f"title\\n{start}main:\\n2\\n{start}check:\\n1\\n{end}"
    ... )
    True
    """
    body, mark, rest = text.partition(".. Extra links\n")
    head, *points = re.split(r"(?m)^(?=\.\. _\S+_role__entrypoint-\w+:$)", body)
    points.sort(key=lambda point: "__entrypoint-main:" not in point.partition("\n")[0])
    return "".join([head, *points, mark, rest])


def read_page(app: Any, name: str, source: list[str]) -> None:
    """Turn a page of the repository into one of the site."""
    if name.startswith("reference/"):
        source[0] = read_reference(source[0])
        return
    if name == "index":
        entries = "\n".join([*pages(source[0]), "reference/index"])
        source[0] += f"\n```{{toctree}}\n:hidden:\n{entries}\n```\n"
    folder = posixpath.dirname(name)
    source[0] = _LINK.sub(lambda found: target(found[1], folder), source[0])


def ansible_reference(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Lead what is ansible-core's to its documentation; asking there for the list of its pages would need a network."""
    label = node["reftarget"]
    builtin = re.fullmatch(r"ansible_collections\.ansible\.builtin\.(\w+)", label)
    if builtin:
        page = f"collections/ansible/builtin/{builtin[1]}.html"
    elif node.get("reftype") == "envvar":
        page = f"reference_appendices/config.html#envvar-{label}"
    else:
        page = {
            "ansible_configuration_settings": "reference_appendices/config.html",
            "common_return_values": "reference_appendices/common_return_values.html",
            "action_plugins": "plugins/action.html",
        }.get(label, "")
    return nodes.reference("", "", content, internal=False, refuri=ANSIBLE + page) if page else None


def setup(app: Any) -> None:
    """Connect the above."""
    app.connect("source-read", read_page)
    app.connect("missing-reference", ansible_reference)
