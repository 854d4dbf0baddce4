# Xinghe: what to type. Each target does what it needs first; `make run` on a fresh Debian 12 with
# a Swift toolchain is enough.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
DESTDIR ?=
KERNELS ?= yes

# `run`, `install` and `bench` share this one build. Static, so that an installed program starts in
# milliseconds and needs neither the build folder nor the Swift runtime.
RELEASE_FLAGS := -c release --static-swift-stdlib
RELEASE := .build/release

# KERNELS=no builds without the MPI kernels, for those who only simulate: no MPI, BLAS and FFTW.
export XINGHE_KERNELS := $(KERNELS)
# SLURM_NAMES=yes also puts sbatch, squeue, ... into PREFIX/bin.
export SLURM_NAMES ?= no

# What `make run` runs from: an installation like any other, inside .build.
STAGE := $(CURDIR)/.build/stage

.PHONY: help setup programs release run test format lint bench conformance clients install uninstall deb site clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) \
	    | sed -E 's/^([a-z]+):[^#]*## */\1\t/' \
	    | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup:  ## install the Debian packages that are missing, check the Swift toolchain
	@.ci/setup

programs: setup
	@echo "building (release; the first time takes several minutes)"
	@swift build $(RELEASE_FLAGS) 2>&1 | .ci/progress

run: programs  ## build, then show the whole centre at work in under two minutes
	@packaging/stage "$(RELEASE)" "$(STAGE)" "$(STAGE)"
	@PATH="$(STAGE)/bin:$$PATH" workloads/demo.sh
	@echo
	@echo "To go on: export PATH=\"$(STAGE)/bin:\$$PATH\", then 'xinghe up --time x3600';"
	@echo "docs/README.md leads on, 'make install' puts all of it under $(PREFIX)."

test: setup  ## what CI runs: format, build with warnings as errors, all tests
	@.ci/test

format:  ## bring all Swift sources into the house format
	@swift format --in-place --parallel --recursive Sources Tests Package.swift

lint:  ## complain about sources that are not in the house format
	@swift format lint --strict --parallel --recursive Sources Tests Package.swift

bench: programs  ## measure, beside peers, on this machine
	@packaging/stage "$(RELEASE)" "$(STAGE)" "$(STAGE)"
	@PATH="$(STAGE)/bin:$$PATH" bench/run.sh

conformance: programs  ## play recorded sessions of a real Slurm against a centre (as root)
	@packaging/stage "$(RELEASE)" "$(STAGE)" "$(STAGE)"
	@bench/slurm/conform.py --bin "$(STAGE)/bin:$(STAGE)/libexec/xinghe/slurm" --make-users --rehearse

clients: programs  ## run programs from PyPI that speak to a Slurm centre (needs the network)
	@packaging/stage "$(RELEASE)" "$(STAGE)" "$(STAGE)"
	@bench/clients/clients.py --bin "$(STAGE)/bin:$(STAGE)/libexec/xinghe/slurm"

install: programs  ## install under PREFIX (default /usr/local); replaces nothing that is not its own
	@packaging/stage "$(RELEASE)" "$(STAGE)" "$(PREFIX)"
	@packaging/install "$(STAGE)" "$(DESTDIR)$(PREFIX)"

uninstall:  ## remove what install put under PREFIX
	@packaging/uninstall "$(DESTDIR)$(PREFIX)"

# For other computers than this one, so not compiled for its processor.
deb release: export XINGHE_PORTABLE := 1
deb: programs  ## make Debian packages in .build/deb
	@packaging/deb "$(RELEASE)" .build/deb

release: programs  ## make and check the archives of a release in .build/dist; publishes nothing
	@rm -rf .build/dist
	@packaging/release "$(RELEASE)" .build/dist

site:  ## make a web site of the documentation in .build/site, without network
	@packaging/site .build/site

clean:  ## remove everything that was built
	@rm -rf .build .build-bench
