# SPDX-License-Identifier: GPL-3.0-or-later
"""What Subiquity's own schema says of autoinstall mappings.

The schema is under another licence and is not part of this collection. Its verdicts are recorded beside this file. To
record them anew, after a change of the mappings or with a newer C(autoinstall-schema.json) of canonical/subiquity:

    PYTHONPATH=.collections python -m ansible_collections.homelab.netboot.tests.unit.subiquity_schema FILE DATE
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema
from ansible_collections.homelab.netboot.tests.unit import worked_examples
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._ubuntu import (
    documents as autoinstall_documents,
)

RECORD = Path(__file__).with_name("subiquity_verdicts.json")
#: Where the schema is looked for.
SCHEMA = Path(
    os.environ.get("SUBIQUITY_SCHEMA") or Path(__file__).parents[3] / "shared/data/autoinstall-schema.json"
)


def digest(document: Any) -> str:
    """Return what tells mappings apart."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:12]


def validator(schema: Path = SCHEMA) -> Any:
    """Return Subiquity's schema, ready to validate with; None where it is not."""
    return jsonschema.Draft202012Validator(json.loads(schema.read_text())) if schema.exists() else None


def verdicts(accepts: Any, documents: Iterable[Any]) -> dict[str, int]:
    """Return by digest whether a schema accepts a mapping, as 1 or 0."""
    return dict(sorted((digest(document), int(accepts.is_valid(document))) for document in documents))


def main() -> None:
    """Record the verdicts of the schema that is given."""
    schema, date = Path(sys.argv[1]), sys.argv[2]
    accepts = validator(schema)
    worked = [one for text in worked_examples.examples().values() for one in worked_examples.documents(text)]
    record = {
        "what": "which autoinstall mappings Subiquity's own schema accepts (1) and refuses (0), by digest",
        "schema": "autoinstall-schema.json of github.com/canonical/subiquity",
        "date": date,
        "sha256": hashlib.sha256(schema.read_bytes()).hexdigest(),
        "examples": verdicts(accepts, worked),
        "documents": verdicts(accepts, (document for dummy, document in autoinstall_documents.documents())),
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    print(f"recorded {len(record['documents'])} and {len(worked)} verdicts in {RECORD.name}")


if __name__ == "__main__":
    main()
