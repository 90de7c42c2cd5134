#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Copy what git has, or would take, to an empty folder: tests/tools/export.sh FOLDER
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$1"
mkdir -p "$1"
# .collections holds a link to this very tree; [ -e ] leaves out what is deleted but still in the index.
git -C "$root" ls-files -z --cached --others --exclude-standard -- . ':!.collections' |
  while IFS= read -r -d '' file; do
    if [ -e "$root/$file" ]; then printf '%s\0' "$file"; fi
  done | tar --create --directory="$root" --null --files-from=- | tar --extract --directory="$1"
