# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The status page, files that nginx serves as they are, and what the metrics are told from.

`known` is the form in which all is told; `html`, `style`, `index`, `story` and, for programs, `data` make texts of it
and are pure.
`gathering` reads states, stories, images and what `doctor` said last; `writing` writes what differs.
"""
