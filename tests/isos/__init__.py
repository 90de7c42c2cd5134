# SPDX-License-Identifier: GPL-3.0-or-later
"""ISOs by xorriso, genisoimage and pycdlib, and out of Debian's packages: our reader beside 7z, xorriso and bsdtar."""
