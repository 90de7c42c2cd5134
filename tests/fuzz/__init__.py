# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged inputs for all that reads ISOs, packages and UEFI programs: `make fuzz`, `make fuzz N=100000 SEED=2`."""
