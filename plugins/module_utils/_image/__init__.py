# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Installation images: read an ISO, take the boot files out of it, keep several versions side by side.

`iso` finds files in an image, `disk_info` understands what it says of itself. `by_name` finds where the newest image of
a release is, by `mirror` (how mirrors are laid out) and `signing_key`; `transfer` brings it here, `progress` and
`report` say how far that is, and `fetch` reads lists of checksums and local files. `extraction` decides which files are
copied out of it (module iso_boot_files), and loads `taking` only when the image must be opened; `kernel_file` unpacks a
kernel, and `smaller` leaves out of an ISO what an installation over the network does not need. `store` is the folder of
one image with its versions, `manifest` what is known of each; `versions` decides
which of them is to be in use (module boot_images), and `proof` reads them all (module boot_images_info).
"""
