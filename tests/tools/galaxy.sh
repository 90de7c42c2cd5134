#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Prove that what would be published works without this repository:
# build the collection, look at what is in it, have Galaxy's importer read it, install it into an empty folder, run a role
# from there by its full name.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/build/galaxy
installed=$work/install/ansible_collections/homelab/netboot
mkdir -p "$(dirname "$root/build/galaxy.lock")"
exec 9>"$root/build/galaxy.lock" && flock 9 # a second run at the same time waits
rm -rf "$work"
mkdir -p "$work/run"
cd "$work/run"
# A home or a temporary folder, where this clone may be, is refused.
state=$(mktemp --directory /var/lib/netboot-galaxy.XXXXXX)
trap 'rm -rf "$state"' EXIT
touch "$work/ansible.cfg"

# Nothing of this clone or of the user's own settings may help.
PATH=$root/.venv/bin:$PATH
export PATH ANSIBLE_CONFIG=$work/ansible.cfg ANSIBLE_COLLECTIONS_PATH=$work/install ANSIBLE_HOME=$work/home
export ANSIBLE_NOCOLOR=true ANSIBLE_LOCALHOST_WARNING=false
unset ANSIBLE_INVENTORY ANSIBLE_ROLES_PATH

fail() {
  echo "galaxy: $*" >&2
  exit 1
}

echo "build"
ansible-galaxy collection build "$root" --output-path "$work" >"$work/build.log"
tarball=$(echo "$work"/homelab-netboot-*.tar.gz)
mapfile -t entries < <(tar --list --gzip --file="$tarball" | cut -d/ -f1 | sort -u)
required=(COPYING FILES.json MANIFEST.json README.md inventories meta playbooks plugins roles)
# What somebody who uses the collection can read besides. Everything else belongs on build_ignore in galaxy.yml.
optional=(.ansible-lint CHANGELOG.md CONTRIBUTING.md LICENSES REUSE.toml changelogs docs requirements.txt)
for entry in "${required[@]}"; do
  [[ " ${entries[*]} " == *" $entry "* ]] || fail "the tarball lacks $entry"
done
for entry in "${entries[@]}"; do
  [[ " ${required[*]} ${optional[*]} " == *" $entry "* ]] || fail "the tarball holds $entry: add it to build_ignore"
done
echo "  ${tarball##*/}: $(du -k "$tarball" | cut -f1) kB with ${entries[*]}"

echo "have Galaxy's importer read it, with what else reviewers ask"
mkdir "$work/importer"
(
  cd "$work/importer" # its result lies where it runs
  export GALAXY_IMPORTER_ANSIBLE_LOCAL_TMP=$work/importer/tmp GALAXY_IMPORTER_CHECK_REQUIRED_TAGS=true
  export GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER=true
  python -m galaxy_importer.main "$tarball" >"$work/importer.log" 2>&1
) || fail "the importer fails: see $work/importer.log"
grep -q 'completed successfully' "$work/importer.log" || fail "the importer did not end: see $work/importer.log"
! grep -E '^(WARNING|ERROR|CRITICAL)' "$work/importer.log" || fail "the importer warns"

echo "install, and keep only the folders meta, playbooks, plugins and roles"
ansible-galaxy collection install "$tarball" --offline --collections-path "$work/install" >"$work/install.log"
cp -r "$installed/inventories/home" "$work/run/home" # as the README tells a user
find "$installed" -mindepth 1 -maxdepth 1 -type d \
  ! -name meta ! -name playbooks ! -name plugins ! -name roles -exec rm -r {} +

echo "see what ansible-builder would put into an execution environment for it"
ansible-builder introspect "$work/install" >"$work/builder.log"
grep -q 'jsonschema .*from collection homelab.netboot' "$work/builder.log" || fail "jsonschema is not found: see $work/builder.log"

echo "run the role homelab.netboot.ubuntu_autoinstall: check, run, run"
cat >inventory.yml <<EOF
netboot_servers:
  hosts:
    localhost: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  vars:
    netboot_state: $state
netboot_machines:
  hosts:
    nuc1: {netboot_mac: "f4:4d:30:60:64:69", netboot_ssh_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D you@home"]}
EOF
cat >play.yml <<'EOF'
- hosts: netboot_servers
  gather_facts: false
  roles:
    - role: homelab.netboot.ubuntu_autoinstall
EOF
# run CHANGES [more arguments]: run the play, which must change that many tasks and fail none.
run() {
  changes=$1
  shift
  ansible-playbook -i inventory.yml play.yml --diff "$@" >"$work/run.log" 2>&1 || fail "it fails: see $work/run.log"
  grep -q "^localhost .*changed=$changes .*failed=0" "$work/run.log" || fail "not $changes changed: see $work/run.log"
}
run 1 --check
[ ! -e "$state/plan" ] || fail "check mode wrote something"
run 1
run 0
grep -q '^#cloud-config' "$state/plan/seed/nuc1/user-data" || fail "there is no user-data for nuc1"

echo "read the example inventory, copied out of what was installed"
ansible-inventory -i home --list >"$work/home.json" 2>"$work/home.log" || fail "it cannot be read: see $work/home.log"
for word in netboot_mac netboot_address netboot_ssh_keys netboot_images; do
  grep -q "\"$word\"" "$work/home.json" || fail "the example inventory has no $word: see $work/home.json"
done
ansible-playbook -i home homelab.netboot.site --syntax-check >"$work/home-site.log" 2>&1 || fail "see $work/home-site.log"

echo "read the playbooks and all documentation by their full names"
for name in arm disarm doctor remove site start status why; do
  ansible-playbook -i inventory.yml "homelab.netboot.$name" --syntax-check >"$work/$name.log" 2>&1 || fail "see $work/$name.log"
done
for type in module filter role; do
  mapfile -t names < <(ansible-doc -t "$type" --list homelab.netboot 2>/dev/null | grep -o '^homelab[a-z_.]*' | sort -u)
  [ "${#names[@]}" != 0 ] || fail "no $type is found"
  ansible-doc -t "$type" "${names[@]}" >"$work/$type.log" 2>&1 || fail "bad documentation: see $work/$type.log"
  echo "  $type: ${names[*]#homelab.netboot.}"
done
! grep -E 'WARNING|DEPRECATION' "$work"/*.log || fail "there are warnings"
echo "galaxy: good"
