# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""How far a machine came, and what most likely keeps it from going on.

`milestones` and `causes` are tables, `verdict` reads them: a pure function of a machine's story, its state and what is
so on the server. `facts` looks at the server, `telling` finds the words.
"""
