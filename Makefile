# SPDX-License-Identifier: GPL-3.0-or-later
# make demo: see it work.  make test: everything that is tested.  Both need root on Debian 12 or 13 and install
# what they need: Debian packages (listed first) and, into .venv, the Python packages of tests/requirements.txt.
SHELL := /bin/bash
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
READY := .venv/.ready

.PHONY: help setup demo test test-unit lint docs docs-site sanity units galaxy molecule fuzz fuzz-guided isos power mirror owners packages caches matrix secure-boot lifecycle faults demo-picture page bench clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## install what the tests and the demo need
$(READY): tests/requirements.txt tests/lab/install.py
	@$(PYTHON) -m tests.lab setup
	@echo "Making .venv with the packages of tests/requirements.txt (once, about a minute) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
	@touch $@

demo: setup ## a router, a server and machines on this host: watch one being installed  [SUITE=trixie] [ISO=file]
	@python -m tests.lab demo $(if $(SUITE),--suite $(SUITE)) $(if $(ISO),--iso $(ISO))

test: setup ## everything that is tested
	@python tests/tools/everything.py

test-unit: setup ## unit tests, seconds  [ARGS="-k mac"]
	@python -m pytest -q tests/unit $(ARGS)

lint: setup ## every linter  [ONLY=mypy]
	@tests/tools/lint.sh $(ONLY)

docs: setup ## write the variables' tables in the READMEs from argument_specs
	@python tests/tools/role_docs.py

docs-site: ## the documentation as a site with search, in build/docs-site; a warning fails it
	@tests/tools/docs_site.sh

fuzz: setup ## damaged ISOs, packages and UEFI programs: read or refused, in 5 s and 200 MB  [N=100000 SEED=2]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.fuzz $(if $(N),--number $(N)) $(if $(SEED),--seed $(SEED))

fuzz-guided: setup ## more damaged ISOs, led by the code that they reach (atheris)  [N=500000 SEED=2]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.fuzz.guided $(if $(N),--number $(N)) $(if $(SEED),--seed $(SEED))

isos: setup ## ISOs by all makers, and Debian's own: our reader beside 7z, xorriso, bsdtar  [ARGS="-k large"]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.isos $(ARGS)

sanity: setup ## ansible-test sanity
	@tests/tools/ansible_test.sh sanity

units: setup ## ansible-test units, with every Python that is found
	@tests/tools/ansible_test.sh units

galaxy: setup ## build the collection, have Galaxy's importer read it, run a role from it elsewhere
	@tests/tools/galaxy.sh

molecule: setup ## roles in containers of Debian 12 and 13  [SCENARIO=pxe_http]
	@molecule test $(if $(SCENARIO),--scenario-name $(SCENARIO),--all)

power: setup ## machines started by emulated BMCs, Redfish and IPMI  [ARGS="-k several"]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.power $(ARGS)

mirror: setup ## a mirror of ISOs, good and bad, by a real nginx on loopback  [ARGS="-k cut"]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.mirror $(ARGS)

owners: setup ## two servers in one network: whose machine it is, and how one moves  [ARGS="-k moves"]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.owners $(ARGS)

packages: setup ## the cache of packages: real apt, a signed mirror, a full disk, a mirror that is away  [ARGS="-k disk"]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.packages $(ARGS)

caches: setup ## caches before their owner: killed at twenty points, a full disk, wrong bytes  [ARGS="-k disk"]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.caches $(ARGS)

matrix: setup ## real firmware boots from real servers  [ROW=bios-lpxelinux-bookworm]
	@python -m tests.matrix $(if $(ROW),--row $(ROW))

secure-boot: setup ## shims of 2011, 2023 and both on firmware that knows 2011, 2023 or both  [FEW=1]
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.secure_boot $(if $(FEW),--few)

lifecycle: setup ## armed, installed, left alone, armed again: whole lives of machines  [ROW=bios]
	@python -m tests.lifecycle $(if $(ROW),--row $(ROW))

faults: setup ## power cuts, full disks, crashes, nonsense: made to happen  [ARGS="-k power --keep"]
	@python -m tests.faults $(ARGS)

demo-picture: setup ## docs/demo.svg, the moving picture of the README, from a run of the demo
	@python tests/tools/demo_picture.py

page: setup ## the status page in Chromium, with axe-core; pictures in build/page
	@PYTHONPATH=$(CURDIR)/.collections python -m tests.page

bench: setup ## measures, as ratios, also to build/bench.json  [ONLY=extract_vs_cp]
	@python -m tests.bench $(if $(ONLY),--only $(ONLY))

clean: ## end what tests may have left behind, remove build/ and .venv
	@if [ -x $(BIN)/python ]; then python -m tests.lab down --all; fi
	@rm -rf build .venv
