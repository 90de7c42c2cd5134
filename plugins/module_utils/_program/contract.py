# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What controller and server agree on: names, places and forms that one side writes and the other reads.

It is written here and nowhere else (tests/unit/test_contract.py looks for copies). Filters import it on the controller,
the program `netboot` on the server, and nginx's configuration takes its patterns from it (filter `contract`).
"""

from __future__ import annotations

import re

#: As a machine's MAC address: whatever boots and is not named otherwise.
ANY = "any"
#: What `netboot_install` can say.
INSTALLS = ("once", "always", "never")
#: What `netboot_wipe` can say: whether an installation that nobody armed by hand may wipe disks that hold something.
WIPES = ("blank", "always")

# --- names

#: A machine's name (RFC 1123, section 2.1). It becomes the host name, a folder on the server, part of addresses.
HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
#: Characters of the longest name: HOST_NAME_MAX of Linux, see gethostname(2).
LONGEST_NAME = 64
#: Every name matches this, too, and so does more; for patterns that only have to keep names and tokens apart.
_LIKE_A_NAME = f"[A-Za-z0-9.-]{{1,{LONGEST_NAME}}}"


#: A MAC address in the one form that the inventory's filter gives it.
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def is_host_name(text: str) -> bool:
    """Whether a text can be a machine's name."""
    return len(text) <= LONGEST_NAME and HOST_NAME.fullmatch(text) is not None


# --- the one-time token of an arming

#: Stands for it in the plan; the program puts it in.
TOKEN = "@TOKEN@"  # noqa: S105 - not one itself
#: Random bytes in it; it is written as hexadecimal digits.
TOKEN_BYTES = 16
#: Its form.
TOKEN_PATTERN = f"[0-9a-f]{{{2 * TOKEN_BYTES}}}"

#: Stands in the seeds of a machine that may ask in several networks, for the root of the web server as it is reached
#: there; nginx puts it in.
SERVER = "@SERVER@"

#: Stands in the plan for one of WIPES, as it holds for the arming.
WIPE = "@WIPE@"

# --- the plan: what the playbook writes below STATE/plan, and the program hands out

#: The machines, as JSON: name → MACHINE_KEYS.
MACHINES_FILE = "machines.json"
MACHINE_KEYS = ("mac", "image", "install", "wipe", "host_key")
#: boot/NAME/PATH: what a machine finds at PATH below the server's root when it is armed.
BOOT = "boot"
#: local/FOLDER: what a named machine that is not armed finds in that folder.
LOCAL = "local"
#: static/PATH: what lies at PATH in any case, unless a machine that is armed has the same path.
STATIC = "static"
#: seed/NAME/FILE: what the installer of a machine asks for.
SEED = "seed"
#: program/FILE: what the installers of all machines run, once for all of them. In user-data L(program_mark) stands for
#: it: thousands of machines would else carry the same text from the controller, each its own.
PROGRAM = "program"
#: The files of a seed; cloud-init asks for all four, and one that is missing costs ten seconds or the installation.
SEED_FILES = ("user-data", "meta-data", "vendor-data", "network-config")
#: What each role owns in the plan, as patterns of module file_set.
OWNED_ENTRIES = (
    f"{BOOT}/*/tftp/*/*",
    f"{BOOT}/*/http/*/*",
    f"{BOOT}/*/http/*/*/*",
    f"{LOCAL}/*/*",
    f"{LOCAL}/*/*/*",
    f"{STATIC}/*/*/*",
    f"{STATIC}/*/*/*/*",
)
OWNED_SEEDS = (f"{PROGRAM}/*", *(f"{SEED}/*/{file}" for file in SEED_FILES))
#: Those of them that a diff only names: they hold secrets, or hundreds of lines of a program.
HIDDEN_SEEDS = (f"{PROGRAM}/*", f"{SEED}/*/user-data")

#: The programs that roles put on a server, below its root, as patterns of module file_set: a diff only names them.
HIDDEN_PROGRAMS = ("usr/local/lib/netboot/*.py", "usr/local/lib/netboot/*/*.py")


def program_mark(file: str) -> str:
    """Return what stands in user-data for the text of program/FILE, as a value: YAML always quotes it, for its `@`."""
    return f"@{file}@"


# --- what is served: ROOT/http and ROOT/tftp

HTTP, TFTP = "http", "tftp"
#: machines/NAME/TOKEN/FILE: seeds, below ROOT/http and below the web server's address alike.
MACHINES = "machines"
SEEDS = f"{HTTP}/{MACHINES}"


#: A file beside those of the seed: there when the server has noted that the installation begins, and will not offer it
#: again. Nothing is installed before.
RECEIPT = "receipt"


#: Years of Microsoft's authorities that sign shims. A pair for machines that ask for one of them lies in a folder of
#: that name, below that of the pair for all others.
AUTHORITIES = ("2011", "2023")
#: In a pair's folder: where shim and GRUB are from, and who signed them; written by module efi_loaders.
LOADERS_NOTE = ".efi_loaders.json"

#: The status page, below ROOT/http and below the web server's address alike.
STATUS = "status"
#: In its folder, what it says of the machines of the inventory, as JSON for programs; and the number of its form.
TOLD, TOLD_VERSION = "machines.json", 1


#: images/NAME/VERSION/FILE: what never changes under its path, as the name of a version comes from its ISO's SHA-256.
#: A cache keeps just these.
IMAGES = "images"
IMAGE_FILE_PATH = (
    f"^/{IMAGES}/([a-z0-9][a-z0-9._-]*)/([0-9a-f]{{12}}[0-9A-Za-z.-]*)/(\\1\\.iso|vmlinuz|initrd)$"
)


def seed_address(base_url: str, name: str, token: str = TOKEN) -> str:
    """Return where a machine's seed is, with the slash at the end that cloud-init up to 22.x needs."""
    return f"{base_url}/{MACHINES}/{name}/{token}/"


# --- what comes back: nginx puts it into SPOOL, and the program takes it from there

#: What a machine can report: that its installation begins, how it ended, and that the installed system has started.
BEGUN, INSTALLED, FAILED, UP = "begun", "installed", "failed", "up"
#: Those that the installer puts down. UP is a form that cloud-init's phone_home sends by POST.
REPORT_WORDS = (BEGUN, INSTALLED, FAILED)
#: Bytes of the form; three keys have some 2000.
UP_BYTES = 8192
#: fetched/NAME.TOKEN: that user-data was fetched. reports/NAME.TOKEN.WORD: what a machine reported; behind UP
#: the address that nginx saw. incoming: a report that is not here as a whole yet.
FETCHED, REPORTS, INCOMING = "fetched", "reports", "incoming"
FETCHED_FILE = re.compile(f"(?P<name>{_LIKE_A_NAME})\\.(?P<token>{TOKEN_PATTERN})")
_ADDRESS = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
REPORT_FILE = re.compile(
    f"{FETCHED_FILE.pattern}\\.(?P<word>{'|'.join(REPORT_WORDS)}|{UP}(?=\\.))(?:(?<=\\.{UP})\\.(?P<address>{_ADDRESS}))?"
)


def report_address(base_url: str, name: str, word: str, token: str = TOKEN) -> str:
    """Return where a machine reports."""
    return f"{base_url}/{REPORTS}/{name}.{token}.{word}"


# --- what the installer tells while it works: nginx writes it to a log, and the program reads that

#: Below it a machine's installer sends each of its steps, by POST, as JSON: progress/NAME.TOKEN
PROGRESS = "progress"
#: The name of that in the installer's own settings, below `reporting`; users may give theirs any other name.
REPORTER = "netboot"


def progress_address(base_url: str, name: str, token: str = TOKEN) -> str:
    """Return where a machine's installer tells its steps."""
    return f"{base_url}/{PROGRESS}/{name}.{token}"


# --- the services, as systemd knows them

WEB_SERVER, BOOT_SERVER = "netboot-nginx.service", "netboot-dnsmasq.service"

# --- nginx's part of it

#: Paths that it answers, as regular expressions of PCRE and Python alike; the groups become nginx's variables.
USER_DATA_PATH = (
    f"^/{MACHINES}/(?P<netboot_machine>{_LIKE_A_NAME})/(?P<netboot_token>{TOKEN_PATTERN})/user-data$"
)
_OTHERS = "|".join(file for file in (*SEED_FILES, RECEIPT) if file != "user-data")
OTHER_SEEDS_PATH = f"^/{MACHINES}/{_LIKE_A_NAME}/{TOKEN_PATTERN}/(?:{_OTHERS})$"
REPORT_PATH = f"^/{REPORTS}/{_LIKE_A_NAME}\\.{TOKEN_PATTERN}\\.(?:{'|'.join(REPORT_WORDS)})$"
UP_PATH = f"^/{REPORTS}/{_LIKE_A_NAME}\\.{TOKEN_PATTERN}\\.{UP}$"
#: The same, as it hands it on to itself.
UP_PUT_PATH = f"{UP_PATH[:-1]}\\.{_ADDRESS}$"
PROGRESS_PATH = f"^/{PROGRESS}/(?P<netboot_machine>{_LIKE_A_NAME})\\.(?P<netboot_token>{TOKEN_PATTERN})$"
#: Its log of the installers' steps, a line of JSON each (nginx: log_format, escape=json).
PROGRESS_LOG = "/var/log/netboot/progress.log"
PROGRESS_FORMAT = (
    '{"time":"$msec","address":"$remote_addr","machine":"$netboot_machine","said":"$request_body"}'
)
#: Its log: each request, with "-" in the place of tokens.
ACCESS_LOG = "/var/log/netboot/access.log"
ACCESS_FORMAT = (
    '$time_iso8601 $msec $remote_addr "$netboot_request" $status $body_bytes_sent $request_time'
    ' "$http_user_agent"'
)
ACCESS_LINE = re.compile(
    r'^\S+ (?P<when>\d+\.\d+) (?P<ip>\S+) "(?P<method>[A-Z]+) (?P<path>\S+) [^"]*" (?P<status>\d+) (?P<bytes>\d+)'
    r' (?P<seconds>\S+) "(?P<agent>.*)"$'
)
