# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirror of Ubuntu's ISOs on this machine, by a real nginx on loopback, good and bad: `make mirror`."""
