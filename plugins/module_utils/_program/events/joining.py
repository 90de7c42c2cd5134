# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Whose a line is: MAC, address and machine are joined by what the server's own logs say. Pure, and bounded in memory.

Some lines name both MAC and address; some paths name a MAC or a machine. UEFI firmware asks without an address, so its
first files come from an address of which nobody knows whose it is. They wait until a line says so, or until only one
machine is left whose they can be.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, Callable, Iterator, Mapping

from ..contract import ANY, MACHINES, PROGRESS, REPORTS
from .event import (
    ASKS,
    CLASS,
    HEAD,
    LEASE,
    LEFT,
    LOADER,
    OFFER,
    SERVICE,
    STATE,
    STOPPED,
    TFTP,
    UNANSWERED,
    Event,
    Record,
)

#: Seconds. After an offer the machine fetches its loader; after the initrd the live system fetches the ISO, maybe from
#: another address; what waits longer than WAITS is nobody's; an address that was silent for FORGETS may be another's.
OFFERED, STARTED, WAITS, FORGETS = 120.0, 1800.0, 3600.0, 86400.0
#: How many are remembered: addresses, machines that were offered something, addresses that wait, events of each.
ADDRESSES, MANY, WAITING, EACH = 4096, 512, 128, 64

_NAMED = re.compile(
    rf"^/?(?:{MACHINES}/(?P<seed>[^/]+)/|{REPORTS}/(?P<report>.+)\.-\.|{PROGRESS}/(?P<progress>.+?)\.-/)"
)
_MAC = re.compile(r"/(?:01-)?([0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})(?:\.\w+)?$")
_FIRST = re.compile(r"(?:^|/)(?:l?pxelinux\.0|efi/(?:\d+/)?(?:shim|ipxe)\w*\.efi)$")
_NETWORK = re.compile(r"^(?:PXE|HTTP)Client")

Sizes = Callable[[str], int]
"""Bytes of a file below the TFTP root, by its whole path: dnsmasq logs no sizes."""


class Joiner:
    """Feed it records in the order of their times; it gives events, now or when it is known whose they are.

    names: MAC → machine. root: the folder of TFTP; names of files are told below it.
    """

    def __init__(self, names: Mapping[str, str], root: str, sizes: Sizes = lambda _path: 0) -> None:
        self.names, self.root, self.sizes = names, root.rstrip("/") + "/", sizes
        self.macs = {name: mac for mac, name in names.items() if mac != ANY}
        self.owners: OrderedDict[str, list[Any]] = (
            OrderedDict()
        )  # address → [MAC, last line, when it was given]
        self.offered: OrderedDict[str, float] = OrderedDict()  # MAC → when, until its address is known
        self.started: OrderedDict[str, float] = (
            OrderedDict()
        )  # MAC → when it had the initrd, until it has the ISO
        self.waiting: OrderedDict[str, list[Event]] = OrderedDict()  # address → events
        self.asking: list[Any] = []  # [time, exchange, vendor class, user class]
        self.exchange = ["", ""]  # of the answer of which the log tells just now: number, MAC
        self.answered: OrderedDict[str, bool] = OrderedDict()
        self.stopped: OrderedDict[str, bool] = OrderedDict()

    def feed(self, record: Record) -> list[Event]:
        """What is known now, of this line and of earlier ones."""
        if record.exchange and record.mac:
            self.exchange = [record.exchange, record.mac]
        if record.kind in (ASKS, CLASS):
            return list(self._asks(record))
        if record.kind == OFFER and record.address and not self._is_asked_for(record):
            return []  # an address, and no more
        events = list(self._unanswered(record))
        if record.kind == OFFER:
            events.append(self._offer(record))
        elif record.kind == LEFT:
            _put(self.answered, record.exchange, True, MANY)  # it goes on to ask for the address
        elif record.kind == LOADER and not record.address:
            # machines that are switched on together may choose the same number: the lines' order tells them apart
            if record.exchange and record.exchange == self.exchange[0]:
                events.append(self._event(record, self.exchange[1]))
        elif record.kind in (STATE, SERVICE):
            events.append(self._event(record, record.mac))
        else:
            events += self._addressed(record)
        return events

    def end(self, now: float = float("inf")) -> list[Event]:
        """What has waited too long; by default all that waits."""
        old = [address for address, events in self.waiting.items() if events[-1].time < now - WAITS]
        return [event for address in old for event in self.waiting.pop(address)]

    # --- DHCP

    def _asks(self, record: Record) -> Iterator[Event]:
        if record.kind == CLASS:
            if self.asking and self.asking[1] == record.exchange:
                self.asking[3] = record.name
            return
        yield from self._unanswered(record)
        self.asking = [record.time, record.exchange, record.name, ""]

    def _unanswered(self, record: Record) -> Iterator[Event]:
        """The one who asked last was not answered, if that is so."""
        if not self.asking or record.kind == OFFER or (record.kind == LOADER and record.mac):
            return
        time, exchange, vendor, user = self.asking
        self.asking = []
        if exchange not in self.answered and _NETWORK.match(vendor):
            yield self._event(Record(time, UNANSWERED, vendor, note=user), "")

    def _offer(self, record: Record) -> Event:
        asked: list[Any] = self.asking if self.asking[1:2] == [record.exchange] else [0, "", "", ""]
        self.asking = []
        _put(self.answered, record.exchange, True, MANY)
        _put(self.offered, record.mac, record.time, MANY)
        return self._event(record._replace(name=asked[2], note=asked[3], address=""), record.mac)

    def _is_asked_for(self, record: Record) -> bool:
        """Whether who is offered an address has asked for something to boot, and is to have it."""
        return self.asking[1:2] == [record.exchange] and bool(_NETWORK.match(self.asking[2]))

    # --- what comes from an address

    def _addressed(self, record: Record) -> list[Event]:
        address, time = record.address, record.time
        if record.kind == LOADER:
            self.asking = []
        mac = record.mac or self._named(record.name)
        if mac:
            earlier = self._bind(address, mac, time, is_given=bool(record.mac))
            return [*earlier, *self._told(record, mac)]
        owner = self._owner(record) or self._only_one(record)
        if owner is None:
            return [*self._wait(record), *self.end(time)]
        return [*self._bind(address, owner, time), *self._told(record, owner)]

    def _named(self, path: str) -> str:
        named = _NAMED.match(path)  # first: what follows is the machine's word
        if named:
            return self.macs.get(named["seed"] or named["report"] or named["progress"], "")
        mac = _MAC.search(path)
        return mac[1].replace("-", ":") if mac else ""

    def _owner(self, record: Record) -> str | None:
        """Whose the address is; None when it may have gone to another machine."""
        known = self.owners.get(record.address)
        if not record.address or known is None or record.time - known[1] > FORGETS:
            return None
        mac, _last, given = known
        if _FIRST.search(record.name) and record.time - given > OFFERED:
            # a boot begins: if it is another machine's, that one was offered something
            is_others = self._lately(self.offered, record.time, OFFERED) and mac not in self.offered
            return None if is_others else str(mac)
        return str(mac)

    def _only_one(self, record: Record) -> str | None:
        """The machine whose line this must be, since no other one can have written it."""
        if record.name.endswith(".iso"):
            found = self._lately(self.started, record.time, STARTED)
        elif _FIRST.search(record.name) or record.address in self.waiting:
            first = self.waiting.get(record.address, [record])[0]
            found = self._lately(self.offered, first.time, OFFERED)
        else:
            found = []
        return found[0] if len(found) == 1 else None

    @staticmethod
    def _lately(since: Mapping[str, float], time: float, seconds: float) -> list[str]:
        return [mac for mac, when in since.items() if time - seconds <= when <= time]

    def _bind(self, address: str, mac: str, time: float, *, is_given: bool = False) -> list[Event]:
        """The address is this machine's; what came from it and waits is, too. is_given: DHCP says so."""
        before = self.owners.get(address, ["", 0.0, 0.0])
        given = time if is_given else before[2] if before[0] == mac else 0.0
        if address:  # what dnsmasq may not read it tells without one
            _put(self.owners, address, [mac, time, given], ADDRESSES)
        self.offered.pop(mac, None)
        waiting = self.waiting.pop(address, [])
        return [self._owned(event, mac) for event in waiting if time - event.time <= WAITS]

    def _wait(self, record: Record) -> list[Event]:
        if not self._is_told(record):
            return []
        event = self._event(record, "")
        if not record.address:
            return [event]
        events = self.waiting.get(record.address, [])
        _put(self.waiting, record.address, [*events, event][-EACH:], WAITING)
        return []

    def _told(self, record: Record, mac: str) -> list[Event]:
        if not self._is_told(record):
            return []
        event = self._event(record, mac)
        if event.is_fetched and event.base == "initrd":
            _put(self.started, mac, event.time, MANY)
        elif event.base.endswith(".iso"):
            self.started.pop(mac, None)
        return [event]

    def _is_told(self, record: Record) -> bool:
        """UEFI asks for a file's size by breaking it off; dnsmasq logs the file as sent all the same."""
        if record.kind == STOPPED and record.note != "failed sending":
            _put(self.stopped, record.address, True, MANY)
        elif record.kind == TFTP and self.stopped.pop(record.address, False):
            return False
        return record.kind not in (HEAD, LEASE)

    def _event(self, record: Record, mac: str) -> Event:
        time, kind, name, _mac, address, size, status, note, _exchange = record
        if name.startswith(self.root):
            size = self.sizes(name) if kind == TFTP else size
            name = name[len(self.root) :]
        return Event(time, kind, name, mac, self.names.get(mac, ""), address, size, status, note)

    def _owned(self, event: Event, mac: str) -> Event:
        if event.is_fetched and event.base == "initrd":
            _put(self.started, mac, event.time, MANY)
        return event._replace(mac=mac, machine=self.names.get(mac, ""))

    # --- to go on another time

    def dump(self) -> dict[str, Any]:
        """What it remembers, for JSON."""
        return {
            "owners": dict(self.owners),
            "offered": dict(self.offered),
            "started": dict(self.started),
            "waiting": {address: [list(one) for one in events] for address, events in self.waiting.items()},
            "exchange": self.exchange,
            "asking": self.asking,
            "answered": list(self.answered),
            "stopped": list(self.stopped),
        }

    def load(self, raw: Mapping[str, Any]) -> None:
        """Remember it again."""
        self.owners.update({str(key): list(value) for key, value in raw["owners"].items()})
        self.offered.update({str(key): float(value) for key, value in raw["offered"].items()})
        self.started.update({str(key): float(value) for key, value in raw["started"].items()})
        self.waiting.update({key: [Event(*one) for one in events] for key, events in raw["waiting"].items()})
        self.exchange = [str(word) for word in raw["exchange"]]
        self.asking = list(raw["asking"])
        self.answered.update((str(exchange), True) for exchange in raw["answered"])
        self.stopped.update((str(address), True) for address in raw["stopped"])


def _put(there: OrderedDict[str, Any], key: str, value: Any, most: int) -> None:
    """Remember the newest."""
    there[key] = value
    there.move_to_end(key)
    while len(there) > most:
        there.popitem(last=False)
