# Xinghe: what to type. Each target does what it needs first; `make run` on a fresh Debian 12 with
# a Swift toolchain is enough.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
DESTDIR ?=

# `run`, `install` and `bench` share this one build. Static, so that an installed program starts in
# milliseconds and needs neither the build folder nor the Swift runtime.
RELEASE_FLAGS := -c release --static-swift-stdlib
RELEASE := .build/release

PROGRAMS := xinghe xinghed yh xinghe-step xinghe-kernel
# One binary under many names: Tianhe's, and Slurm's own.
YH_NAMES := yhbatch yhqueue yhq yhinfo yhi yhcancel yhacct yhcontrol yhrun \
            sbatch squeue sinfo scancel sacct scontrol srun

# What `make run` runs from: an installation like any other, inside .build.
STAGE := $(CURDIR)/.build/stage

.PHONY: help setup release run demo test format lint bench install uninstall clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) \
	    | sed -E 's/^([a-z]+):[^#]*## */\1\t/' \
	    | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup:  ## install the Debian packages that are missing, check the Swift toolchain
	@.ci/setup

release: setup
	@echo "building (release; the first time takes several minutes)"
	@swift build $(RELEASE_FLAGS) 2>&1 | .ci/progress

run: release  ## build, then show the whole centre at work in under two minutes
	@$(MAKE) --no-print-directory stage
	@PATH="$(STAGE)/bin:$$PATH" workloads/demo.sh

.PHONY: stage
stage:
	@$(MAKE) --no-print-directory copy PREFIX="$(STAGE)" DESTDIR= >/dev/null

test: setup  ## what CI runs: format, build with warnings as errors, all tests
	@.ci/test

format:  ## bring all Swift sources into the house format
	@swift format --in-place --parallel --recursive Sources Tests Package.swift

lint:  ## complain about sources that are not in the house format
	@swift format lint --strict --parallel --recursive Sources Tests Package.swift

bench: release  ## measure, beside peers, on this machine
	@$(MAKE) --no-print-directory stage
	@PATH="$(STAGE)/bin:$$PATH" bench/run.sh

install: release copy  ## install under PREFIX (default /usr/local)

.PHONY: copy
copy:
	@install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/xinghe"
	@for program in $(PROGRAMS); do \
	    install -m 755 "$(RELEASE)/$$program" "$(DESTDIR)$(PREFIX)/bin/$$program"; \
	done
	@for name in $(YH_NAMES); do ln -sf yh "$(DESTDIR)$(PREFIX)/bin/$$name"; done
	@cp -R workloads docs bench README.md ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md LICENSE \
	    "$(DESTDIR)$(PREFIX)/share/xinghe/"
	@echo "installed $(words $(PROGRAMS)) programs and $(words $(YH_NAMES)) names in" \
	    "$(DESTDIR)$(PREFIX)/bin"

uninstall:  ## remove what install put under PREFIX
	@rm -f $(addprefix "$(DESTDIR)$(PREFIX)"/bin/,$(PROGRAMS) $(YH_NAMES))
	@rm -rf "$(DESTDIR)$(PREFIX)/share/xinghe"

clean:  ## remove everything that was built
	@rm -rf .build .build-bench
