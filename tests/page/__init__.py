# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page in a real browser: Debian's Chromium, with axe-core. `python -m tests.page` from the top.

`site` makes a server's page from logs that the lab recorded, by the program itself, and serves it on this host with the
headers that nginx sends; `browser` tells Chromium what to do, through two pipes; `checks` is what is asked of the page.
"""
