# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Programs that run in Ubuntu's installer. They are read as texts, carried there as files, and imported by nobody.

Python 3.8 or newer with its standard library and PyYAML (cloud-init needs it too), util-linux 2.34 or newer, udev: what
Ubuntu 20.04 has.
"""
