# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What a run comes to, for whoever started it: at most eight lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_NAMES, _NOTES = 10, 3


def lines(
    armed: Mapping[str, Mapping[str, str]],
    said: Iterable[str],
    base_url: str,
    shut: Sequence[str] = (),
    *,
    would: bool = False,
) -> list[str]:
    """Return who is armed, what happens to their disks, what else is to be known, and what to do next.

    :param armed: name → C(image), and C(wipe): V(blank) or V(always), as the program C(netboot) tells it.
    :param said: what that program said, a line each.
    :param base_url: the server's HTTP root.
    :param would: whether it would only be so, since this run changes nothing.
    :param shut: ports that the server's firewall shuts to the machines.
    """

    def names(wipe: str) -> str:
        found = [f"{name} ({armed[name]['image']})" for name in sorted(armed) if armed[name]["wipe"] == wipe]
        more = f" and {len(found) - _NAMES} more" if len(found) > _NAMES else ""
        return ", ".join(found[:_NAMES]) + more

    told, armed_now = [], "Would be armed" if would else "Armed"
    if names("always"):
        told.append(f"{armed_now}, and THEIR DISKS WILL BE WIPED: {names('always')}.")
    if names("blank"):
        told.append(f"{armed_now}, for blank disks only: {names('blank')}.")
    if not armed:
        nobody = f"No machine {'would be' if would else 'is'} armed"
        told.append(f"{nobody}: all boot their disks. To install one: homelab.netboot.arm -l NAME.")
    notes = (
        [f"The firewall shuts {', '.join(shut)}, so no machine can boot: see above, or netboot_firewall."]
        if shut
        else []
    )
    notes += [line for line in said if ": local: " in line or ": failed: " in line or ": not armed, " in line]
    told += notes[:_NOTES]
    if len(notes) > _NOTES:
        told.append(f"… and {len(notes) - _NOTES} more; homelab.netboot.status tells all.")
    if would:
        return [*told, "This was a check run: nothing was changed. Run it without --check to make it so."]
    told.append(f"The server is {base_url}.")
    if armed:
        told.append(
            "Switch them on and let them boot from the network; homelab.netboot.watch tells what they do."
        )
    return told
