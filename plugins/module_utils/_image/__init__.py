# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Installation images: read an ISO, take the boot files out of it, keep several versions side by side.

`iso` finds files in an image, `disk_info` understands what it says of itself, `fetch` brings it here. `extraction`
decides which files are copied out of it (module iso_boot_files), and loads `taking` only when the image must be opened;
`kernel_file` unpacks a kernel; `store` is the folder of one image with its versions, and `versions` decides which of
them is to be in use (module boot_images).
"""
