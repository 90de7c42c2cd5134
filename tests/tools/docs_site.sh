#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Build the documentation site into build/docs-site; a warning fails it. Python packages: docs/docsite/requirements.txt.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/build/docs
source=$work/source
site=$root/build/docs-site
wanted=$root/docs/docsite/requirements.txt
mkdir -p "$work"
exec 9>"$work/lock" && flock 9 # a second run at the same time waits

fail() {
  echo "docs-site: $*" >&2
  exit 1
}

if ! cat "$wanted" "$root/tests/requirements.txt" | cmp --silent - "$work/venv/installed"; then
  echo "Making build/docs/venv with the packages of docs/docsite/requirements.txt …"
  python3 -m venv --clear "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
  cat "$wanted" "$root/tests/requirements.txt" >"$work/venv/installed"
fi
PATH=$work/venv/bin:$PATH
export PATH ANSIBLE_COLLECTIONS_PATH=$root/.collections ANSIBLE_HOME=$work/home NO_COLOR=1

# antsibull-docs wants a folder that nobody else can write to.
rm -rf "$source" "$site"
mkdir -p "$source"
mkdir --mode=755 "$source/reference"
cp "$root/README.md" "$source/index.md"
cp -r "$root/CONTRIBUTING.md" "$root/docs" "$source"

# What each page says of how to install the collection.
repository=$(sed -n 's/^repository: //p' "$root/galaxy.yml")
cat >"$work/antsibull-docs.cfg" <<EOF
collection_url = {
  homelab.netboot = $repository
}
collection_install = {
  homelab.netboot = ansible-galaxy collection install git+$repository
}
EOF
antsibull-docs --config-file "$work/antsibull-docs.cfg" collection --use-current --fail-on-error --squash-hierarchy \
  --dest-dir "$source/reference" homelab.netboot
python -m doctest "$root/docs/docsite/conf.py" # here, since it needs Sphinx
sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -b html -c "$root/docs/docsite" -d "$work/doctrees" \
  "$source" "$site"

# antsibull-docs writes markup that it does not understand into the page, and goes on.
! grep -rn --include='*.html' 'ERROR while parsing' "$site" || fail "the pages above have wrong markup"
# Links to other hosts are good; nothing else may come from there: no script, letter, picture or style.
! grep -rnoE --include='*.html' --include='*.css' \
  '(src|srcset|data|poster)="(https?:)?//[^"]*"|<link [^>]*href="(https?:)?//[^"]*"|(url\(|@import )["'\'']?(https?:)?//[^)]*' \
  "$site" || fail "the pages above load something from other hosts"
echo "docs-site: good: build/docs-site/index.html"
