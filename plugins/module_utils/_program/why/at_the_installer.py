# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What keeps a machine from going on while Linux runs, and the installer. Rows as in `causes`. Pure."""

from __future__ import annotations

from ..contract import WEB_SERVER
from . import case as c
from . import signs
from .cause import ARM, LATE, SITE, Cause

INSTALLER: tuple[Cause, ...] = (
    # it has the ISO
    Cause(
        "disarmed-meanwhile",
        ("seeds", "installer"),
        signs.withdrawn("disarm"),
        "It was disarmed while it booted, so its user-data is not handed out any more.",
        ARM,
    ),
    Cause(
        "expired-meanwhile",
        ("seeds", "installer"),
        signs.withdrawn("no report within"),
        "Its user-data is not handed out any more, since an earlier installation did not report in time.",
        ARM,
    ),
    Cause(
        "withdrawn-meanwhile",
        ("seeds", "installer"),
        signs.withdrawn(""),
        "Its state changed while it booted, so its user-data is not handed out any more.",
        ARM,
    ),
    Cause(
        "seeds-refused",
        ("seeds",),
        signs.no_seed(403, 429, 500, 503),
        "The web server refuses its user-data.",
        f"See /var/log/netboot on the server; systemctl restart {WEB_SERVER}.",
    ),
    Cause(
        "seeds-missing",
        ("seeds",),
        signs.no_seed(404),
        "Its seed is not on the server: it was armed anew since it booted, or files were taken away.",
        "Run homelab.netboot.site, arm it, and start it again.",
    ),
    Cause(
        "behind-cache",
        ("seeds",),
        signs.by_cache,
        "It has its configuration, and asked for no user-data. Kernel, initrd and ISO it fetches from its cache, which"
        " this server does not see. Either the cache does not answer, or the live system stopped.",
        "Run homelab.netboot.doctor, which asks the cache, too; then look at the machine's screen.",
    ),
    Cause(
        "rescue",
        ("seeds",),
        signs.offers_menu,
        "Either somebody chose the rescue system in its menu, or the live system stopped.",
        "Nothing, if somebody did. Else look at its screen.",
    ),
    Cause(
        "live-stops",
        ("seeds",),
        signs.always,
        "It has the ISO, and asked for no user-data. Either it has too little memory, or the ISO does not start there,"
        " or cloud-init found no address.",
        "Look at its screen; give it more memory (docs/images.md: twice ISO and initrd, and 1 GB).",
    ),
    # it has its user-data
    Cause(
        "asks-a-person",
        ("installer",),
        signs.asks_person,
        "`autoinstall` is not on its kernel line, so the installer waits for a person.",
        SITE,
    ),
    Cause(
        "disk-full",
        ("installer", *LATE),
        lambda case: signs.full(case) and (signs.no_receipt(case) or case.refused(c.BEGUN)),
        "The server has no space on a disk, so it could not note that the installation begins.",
        "Make space on the server, and start the machine again.",
    ),
    Cause(
        "begin-refused",
        ("installer",),
        lambda case: case.refused(c.BEGUN),
        "The web server did not take its report that it begins, so nothing was installed.",
        f"See /var/log/netboot and the spool's folder on the server; systemctl restart {WEB_SERVER}.",
    ),
    Cause(
        "no-receipt",
        ("installer",),
        signs.no_receipt,
        "It told the server that it begins, and the server did not note it; nothing was installed.",
        "journalctl -u netboot-reports on the server says why; homelab.netboot.site puts it right.",
    ),
    Cause(
        "reported-failure",
        ("installer",),
        signs.reason("did not note"),
        "The installer stopped, since the server did not note that it begins.",
        "journalctl -u netboot-reports on the server says why. " + ARM,
    ),
    Cause(
        "user-data-refused",
        ("installer",),
        signs.log(r"autoinstall.*(?:validat|malformed|schema)|Malformed autoinstall"),
        "The installer refused its user-data.",
        "Mend what its log names, run homelab.netboot.site. " + ARM,
    ),
    Cause(
        "installer-waits",
        ("installer",),
        signs.always,
        "It has its user-data, and the installer did not begin. Either the installer refuses something in it, or the"
        " machine was switched off.",
        "Look at its screen. If it names a key of user-data, mend it, run homelab.netboot.site. " + ARM,
    ),
    # it installs
    *(
        Cause(f"guard-{key}", LATE, signs.reason(f"nothing was written: .*{pattern}"), cause, remedy)
        for key, pattern, cause, remedy in (
            (
                "holds",
                "holds ",
                "The guard stopped it: its disk holds something, and nobody said that it may be wiped.",
                "If its content may go: ansible-playbook homelab.netboot.arm -l {name}",
            ),
            (
                "label",
                "protected label",
                "The guard stopped it: a disk carries the protected label.",
                "Take that disk out or its label away. " + ARM,
            ),
            (
                "disk",
                "no disk has",
                "The guard stopped it: no disk is what netboot_expect says.",
                "Compare netboot_expect with the disks that its reason names. " + ARM,
            ),
            (
                "match",
                "(?:no disk|the serial .+) fits ",
                "The guard stopped it: its settings name no disk of it, or not one alone.",
                "Compare netboot_disk, or its storage, with the disks that its reason names. " + ARM,
            ),
            (
                "product",
                "the product",
                "The guard stopped it: it is another machine than netboot_expect says.",
                "Compare netboot_expect and netboot_mac with this machine. " + ARM,
            ),
            (
                "mac",
                "no network card",
                "The guard stopped it: no network card has the MAC that netboot_expect says.",
                "Compare netboot_expect with this machine. " + ARM,
            ),
            (
                "note",
                "did not note",
                "It stopped, since the server did not note that the installation begins.",
                "journalctl -u netboot-reports on the server says why. " + ARM,
            ),
            (
                "blind",
                "could not be looked at",
                "The guard could not look at the machine, and stopped it.",
                "Read its reason below; look at its disks. " + ARM,
            ),
        )
    ),
    *(
        Cause(f"failed-{key}", LATE, signs.log(pattern), cause, remedy + " " + ARM)
        for key, pattern, cause, remedy in (
            (
                "user-data",
                r"Malformed autoinstall|autoinstall.*validation|jsonschema",
                "The installer refused its user-data.",
                "Mend what its log names, run homelab.netboot.site.",
            ),
            (
                "no-disk",
                r"no disk.*match|could not find a disk|matched no disk",
                "The installer found no disk that its settings match.",
                "Compare netboot_disk with its disks.",
            ),
            (
                "late-command",
                r"late[-_]commands?.*(?:fail|exit|return|error)|CalledProcessError.*late",
                "A late-command failed.",
                "Mend the command that its log names, run homelab.netboot.site.",
            ),
            (
                "packages",
                r"Temporary failure resolving|Could not resolve|Unable to (?:locate|fetch)|apt-get.*returned",
                "Packages could not be fetched.",
                "See that it reaches its mirror, or name another one.",
            ),
            (
                "space",
                r"No space left on device",
                "Its disk is too small.",
                "Give it a larger disk or smaller partitions.",
            ),
            (
                "io",
                r"I/O error|SQUASHFS error|Buffer I/O",
                "A disk or the ISO could not be read or written.",
                "Test its memory and its disk.",
            ),
            (
                "memory",
                r"Out of memory|oom-kill|Cannot allocate memory",
                "It has too little memory.",
                "Give it more memory.",
            ),
        )
    ),
    Cause(
        "damaged-state",
        LATE,
        signs.reason("state file was damaged"),
        "Its state file was damaged, so nobody can tell how far it came.",
        "See what is on its disk. " + ARM,
    ),
    Cause(
        "report-refused",
        ("report", "disk"),
        lambda case: case.refused(c.INSTALLED),
        "It is installed most likely, and the web server did not take its report.",
        "See /var/log/netboot on the server and the spool's space; the machine boots its disk in any case.",
    ),
    Cause(
        "failed",
        LATE,
        signs.reason("^(?!no report within)"),
        "The installer failed.",
        "Its log is in /var/lib/netboot/logs/{name}.log on the server. " + ARM,
    ),
    Cause(
        "failed-untold",
        LATE,
        signs.step_failed,
        "The installer failed, and its report did not come.",
        "Look at its screen. " + ARM,
    ),
    Cause(
        "restarted",
        LATE,
        signs.again,
        "It began to install and started again without a report. Either it lost power, or it is installed and its"
        " report was lost.",
        "See what is on its disk. If it is not installed, arm it: ansible-playbook homelab.netboot.arm -l {name}",
    ),
    Cause(
        "never-reported",
        LATE,
        signs.always,
        "It began to install and never reported. Either it lost power or hangs, or it is installed and cannot reach the"
        " server.",
        "Look at its screen. If it is not installed, arm it: ansible-playbook homelab.netboot.arm -l {name}",
    ),
    # it has reported
    Cause(
        "report-thrown-away",
        ("up",),
        signs.other_token,
        "Its report was not of its last arming and was thrown away: it was armed anew while it installed.",
        "It will be installed again; to prevent that: ansible-playbook homelab.netboot.disarm -l {name}",
    ),
)
