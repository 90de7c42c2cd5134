# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What loaders read and are offered: boot entries in the language of each, dnsmasq's lines, UEFI's boot order."""
