# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for all unit tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A test machine that is busy with virtual machines is slow, and that is no fault of what is tested.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
