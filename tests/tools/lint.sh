#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Run every linter, also after one has failed: tests/tools/lint.sh [NAME ...]   (names: see the list below)
# Each one's output goes to build/lint/NAME.log; that of the ones that fail is shown.
set -uo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit
PATH=$root/.venv/bin:$PATH
logs=$root/build/lint
export PATH ANSIBLE_COLLECTIONS_PATH=$root/.collections ANSIBLE_HOME=$logs/home NO_COLOR=1
mkdir -p "$logs"
exec 9>"$logs/lock" && flock 9 # a second run at the same time waits

check_ruff() { ruff check . && ruff format --check .; }
check_mypy() { mypy .; }
check_yamllint() { yamllint --strict .; }
check_shellcheck() { git ls-files -co --exclude-standard -z '*.sh' .ci/run | xargs -0 shellcheck; }
# What .ansible-lint leaves out for Galaxy's importer is read when it is named.
check_ansible_lint() {
  ansible-lint --offline --profile production && ansible-lint --offline --profile production playbooks/provision.yml
}
check_changelog() { antsibull-changelog lint; }
check_reuse() { reuse lint; }
check_prose() { python3 tests/tools/prose.py; }
check_spelling() { git ls-files -co --exclude-standard -z | grep -zv '^\.collections/\|^LICENSES/\|^COPYING$' | xargs -0 codespell; }
check_role_docs() { python3 tests/tools/role_docs.py --check; }
# antsibull-docs copies the whole folder of the collection: give it one without images and environments. It asks git which
# files there are; the clone around build/ would say: none, they are ignored.
check_docs() {
  tests/tools/export.sh "$logs/ansible_collections/homelab/netboot" &&
    cd "$logs/ansible_collections/homelab/netboot" && git init --quiet &&
    antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs dependent \
      --disallow-unknown-collection-refs .
}

names=("$@")
if [ "${#names[@]}" = 0 ]; then names=(ruff yamllint shellcheck reuse prose spelling changelog role_docs mypy docs ansible_lint); fi
failed=()
for name in "${names[@]}"; do
  SECONDS=0
  if ("check_$name") >"$logs/$name.log" 2>&1; then
    echo "lint: $name: good (${SECONDS} s)"
  else
    echo "lint: $name: FAILED (${SECONDS} s)"
    cat "$logs/$name.log"
    failed+=("$name")
  fi
done
if [ "${#failed[@]}" != 0 ]; then
  echo "lint: failed: ${failed[*]}" >&2
  exit 1
fi
