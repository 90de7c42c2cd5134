# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Programs that run in Ubuntu's installer. They are read as texts, put into user-data, and imported by nobody.

Python 3.8 or newer and nothing but its standard library, util-linux 2.34 or newer, udev: what Ubuntu 20.04 has.
"""
