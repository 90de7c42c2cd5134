# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of packages: real nginx with the role's configuration, real apt, a signed mirror: `make packages`."""
