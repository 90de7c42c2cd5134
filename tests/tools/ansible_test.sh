#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Run ansible-test as reviewers of the Ansible community do:
#   tests/tools/ansible_test.sh sanity|units [more arguments of ansible-test]
# sanity uses every Python that is found; units, which takes longer, the oldest that targets have, or with `--python 3.13`
# (and so on) another one. That of Debian 12 is the one of `make test-unit`; newer ones are in .github/workflows/test.yml.
# ansible-test wants a real folder .../ansible_collections/NAMESPACE/NAME, so the tree is exported to one.
# Everything is written to build/ansible-test/COMMAND.log; shown is what a person needs.
set -euo pipefail

command=$1
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
collection=$root/build/ansible-test/$command/ansible_collections/homelab/netboot
log=$root/build/ansible-test/$command.log

# The venv first, then every Python that pyenv has, if there is one.
PATH=$root/.venv/bin:$PATH
for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
  if [ -d "$folder" ]; then PATH=$PATH:$folder; fi
done
export PATH

mkdir -p "$(dirname "$root/build/ansible-test/$command.lock")"
exec 9>"$root/build/ansible-test/$command.lock" && flock 9 # a second run at the same time waits
"$root/tests/tools/export.sh" "$collection"
# ansible-test asks git which files there are; the clone around build/ would say: none, they are ignored.
git -C "$collection" init --quiet

python3 "$root/tests/tools/get_pip.py"

versions=()
for version in 3.8 3.9 3.10 3.11 3.12 3.13; do
  if python"$version" -c '' 2>/dev/null; then
    case $command-$version in
    units-3.8) versions+=(--python="$version") ;;
    esac
  else
    echo "not tested, as it is not installed: Python $version"
  fi
done
# sanity finds them by itself; and who names a Python wants just that one.
if [ "$command" != units ] || [[ " $* " == *" --python"* ]]; then versions=(""); fi

cd "$collection"
status=0
: >"$log"
for version in "${versions[@]}"; do
  ansible-test "$command" --venv --color no ${version:+"$version"} "$@" >>"$log" 2>&1 || status=$?
done
# The long lines that pip writes, and how ansible-test called itself, help nobody.
grep -E '^(Running sanity|Running unit|Unit test |ERROR|FATAL|WARNING: (Skip|Unable|Required)|=+ .*(passed|failed|error).* =+$|(FAILED|E  ) )' "$log" |
  grep -v '^FATAL: Command' || true
if grep -q 'All targets skipped' "$log"; then status=1; fi
if [ "$status" != 0 ]; then echo "ansible-test $command failed; all of its output: $log" >&2; fi
exit "$status"
