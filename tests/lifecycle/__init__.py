# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole life of machines: armed, installed, left alone, armed again; by real firmware and a real server."""
