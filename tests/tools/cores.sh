#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Run the unit tests with each ansible-core that is supported, besides the pinned one on its Python:
#   tests/tools/cores.sh ["CORE PYTHON" ...]
# CORE is a series such as 2.20, its pre-releases when nothing else of it is there; `newest`, of all that PyPI has,
# pre-releases too; or `devel`, what is being written, from its repository.
# Environments are kept in build/cores. A Python that is not installed is said to be missing, and is no failure.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/build/cores
mkdir -p "$work"
cd "$root"
for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
  if [ -d "$folder" ]; then PATH=$PATH:$folder; fi
done
# The pinned versions, as far as something is installed at all.
sed '/^ansible-core/d' tests/requirements.txt >"$work/constraints.txt"

pairs=("$@")
if [ "${#pairs[@]}" = 0 ]; then pairs=("2.19 3.13" "2.20 3.12" "2.21 3.13" "newest 3.13"); fi
for pair in "${pairs[@]}"; do
  read -r core version <<<"$pair"
  if ! python=$(command -v "python$version" && "python$version" -c ''); then
    echo "not tested, as Python $version is not installed: ansible-core $core"
    continue
  fi
  env=$work/$core-$version
  case $core in
    devel) package=https://github.com/ansible/ansible/archive/devel.tar.gz ;;
    newest) package='ansible-core>=2.19.0b1' ;; # naming one allows pre-releases, of this package only
    *) package="ansible-core==$core.*" ;;
  esac
  # What has no number is another one tomorrow.
  if [[ $core != [0-9]* ]] || ! "$env/bin/ansible" --version >/dev/null 2>&1; then
    "$python" -m venv --clear "$env"
    "$env/bin/pip" --quiet --disable-pip-version-check install --constraint "$work/constraints.txt" \
      --requirement tests/unit/requirements.txt "$package" pytest PyYAML 2>"$work/pip.log" ||
      { cat "$work/pip.log" >&2; exit 1; }
  fi
  log=$work/$core-$version.log
  PATH=$env/bin:$PATH "$env/bin/python" -m pytest -q -p no:cacheprovider tests/unit >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
  echo "$("$env/bin/ansible" --version | head -n 1) on Python $version: $(tail -n 1 "$log")"
done
