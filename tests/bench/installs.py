# SPDX-License-Identifier: GPL-3.0-or-later
"""What one installation costs on the network, from the logs of the boot tests."""

from __future__ import annotations

import json

from tests.bench import BUILD, Row, Skipped

MATRIX = BUILD / "matrix.json"

# The hand-made set-up's log: three GETs of ubuntu-20.04.3-live-server-amd64.iso with 1261371392 bytes each
# (Wget once, Cloud-Init twice). Its kernel and initrd came by TFTP and are not counted in that log.
HAND_MADE_ISO = 1_261_371_392
HAND_MADE_BYTES = 3 * HAND_MADE_ISO

# Rows with this word lack our kernel argument on purpose, so that the waste of the hand-made set-up is noticed.
CONTROL = "waste"


def bytes_per_install() -> Row:
    """The worst row of the boot tests: bytes by HTTP and TFTP, kernel and initrd too, over the ISO's size."""
    if not MATRIX.exists():
        raise Skipped("run make matrix first: it boots the machines whose bytes are counted here")
    rows = [
        row for row in json.loads(MATRIX.read_text()) if row.get("iso_bytes") and CONTROL not in row["row"]
    ]
    if not rows:
        raise Skipped(f"{MATRIX.name} has no row with iso_bytes: run make matrix again")
    worst, name = max(
        ((row["bytes_http"] + row["bytes_tftp"]) / row["iso_bytes"], row["row"]) for row in rows
    )
    means = (
        f"fetched by a client, kernel and initrd too / size of its ISO; worst of {len(rows)} boots ({name}), "
        "other: the hand-made set-up's log"
    )
    return Row(
        "bytes_per_install", round(worst, 3), HAND_MADE_BYTES / HAND_MADE_ISO, "ISOs", means, at_most=1
    )
