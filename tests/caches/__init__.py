# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches of images before their owner: real nginx with the roles' configurations, the real program: `make caches`."""
