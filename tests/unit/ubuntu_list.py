# SPDX-License-Identifier: GPL-3.0-or-later
"""A real list of checksums with its signature: SHA256SUMS and SHA256SUMS.gpg of releases.ubuntu.com/resolute.

As they were in October 2026, found in a public project. They need no trust: the signature tells.
"""

from __future__ import annotations

SUMS = b"""\
487f87faaf547ea30e0aba4d5b53346292571256b25333a978db1692bcee9dd2 *ubuntu-26.04-desktop-amd64.iso
dec49008a71f6098d0bcfc822021f4d042d5f2db279e4d75bdd981304f1ca5d9 *ubuntu-26.04-live-server-amd64.iso
96c7f5fb28a7fe28245331f9bfbe4375f18dd29a4850116ad3c4f60f6700c55c *ubuntu-26.04-wsl-amd64.wsl
601e30fbf5d97759367c632e2c33630665039b7e2158fd068403da3ccf1bda1f *ubuntu-26.04.1-desktop-amd64.iso
cc8a95cde20f6ced61a322420de00f10cc3c90ced545daa46cb9c1a117f1d927 *ubuntu-26.04.1-live-server-amd64.iso
48d56724b5c8e60f24893e83e73bbb58c60b3ca22fba3da977075420acd54104 *ubuntu-26.04.1-wsl-amd64.wsl
"""
SIGNATURE = b"""\
-----BEGIN PGP SIGNATURE-----

iQIzBAABCgAdFiEEhDk43yKNIvezdCvA2Uqj8O/iEJIFAmqQvX0ACgkQ2Uqj8O/i
EJIkYRAAlB7NEEc/kHa3pcWQOxR66++U09Jaf4UTvFHEasVjQo/45teZLZv4W/nJ
k/NxzSPAv/Do6IYp4Vd4430sT8uk3z2W/V7QO/TMolGcgmNY8IYbo2QZ7M1snSz5
I0ANN1lHr24EnuzoWJtpMO50ngPGUph8ZpcGP3r7jfjFANQ5HXIPEdqeQ8skfoKf
r2S8yKa5Y7uup1fXHNgVdXCp1mbZJ09BhM8FpksSafeCsHOT1Dztvoon1DhmD8HP
NSaGCY/39IxbK4P2EbdGlrCXPXZiPA7C6zshwQ4uESIcMYQj0tYl48BKApSb6Vrd
5wEE33mq33FazOewpHMLiYByBFT8BIqDlJqwP3BFxdcX3lj5noQFZOmjL8OmTpL/
3h/thQdOo2fvGlv/bztuL8rKgjPdjGQb1gTjPTix1Tg5+gMBfUKv4m4oF3THittR
MWQWYpr5RZJxt7ayBTakTyeLywQtAXQXVunO3pkTNtKK2GOKdXEKif8PqaZ1Dwu2
2IzXwpTXTUvbf3/BpFIlcgkYiKCwk1AsPrri/HZy5Wguw9j06EJRwt8rR6zvYpy/
r+n46KH3o59Au+WAO+Zd5Rgcvj0LW6kMD84AVuPhwqe5tr/njfqSUXCfFT1riH40
weoCeT1g1CYtziK8WgTmxUIGW9mIhq9MUkmo8jKoUtN3PADI/G4=
=SSQP
-----END PGP SIGNATURE-----
"""
