#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# See that a tag, galaxy.yml and the changelog name one version: tests/tools/release_check.sh v1.0.0
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(sed -n 's/^version: //p' galaxy.yml)
fail() {
  echo "release: $*" >&2
  exit 1
}

[ "$1" = "v$version" ] || fail "the tag is $1, and galaxy.yml says $version"
if ! grep -q "^  $version:\$" changelogs/changelog.yaml || [ ! -e CHANGELOG.md ]; then
  fail "the changelog has no $version; run antsibull-changelog release"
fi
echo "release: $version"
