# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""All that is Ubuntu's: releases, kernel line, seeds with their checks, guard, report. Others enter by `system`."""
