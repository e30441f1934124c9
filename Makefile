# SPDX-License-Identifier: GPL-2.0-only
# The front door: what there is to do, and nothing about how it is built (CMake and scripts/ know).

K ?= 6.12
export KERNELS ?= 6.12 stock-6.12 stock-6.1 stock-7.3
SERIES ?= 6.12 6.1
PREFIX ?= /usr/local
FUZZ ?= wire
SECONDS ?= 600
BENCH ?= 6.12 6.1 stock-6.12 stock-6.1

.PHONY: all deps check lint kernels-check unit coverage test demo kernel patch-check patch-each patch-test test-repeat mutants vm soak soak-watched bench bench-check fuzz oracle install deb static clean help

all: ## build lastref (build/release/lastref)
	@scripts/deps build
	@scripts/build release
	@ls build/release/lastref

deps: ## install the Debian packages that are missing, for everything below
	@scripts/deps

demo: ## see lastref explain a delayed unload, in a patched kernel
	@scripts/demo

test: ## check, then the tests in guests; KERNELS="6.12 stock-6.1" or KERNELS=all
	@scripts/test

check: ## lint, the unit tests under gcc, clang and sanitizers, and a little fuzzing
	@scripts/test lint unit

lint: ## formatting, clang-tidy, shell, Python, licenses
	@scripts/test lint

kernels-check: ## what kernels lack of what lastref needs, or take references in unknown; boots none
	@scripts/deps build
	@scripts/build clang
	@tests/kernels/check

unit: ## the unit tests under gcc, clang and sanitizers, and a little fuzzing
	@scripts/test unit

coverage: ## how many lines of each layer the unit tests run; LAYER=cli for its files and what they do not
	@scripts/deps build coverage
	@scripts/build coverage
	@scripts/coverage $(LAYER)

kernel: ## build a patched kernel: K=6.12, 6.1 or 6.12-debug; KERNEL_SRC=DIR|TARBALL
	@scripts/deps kernel source-$(firstword $(subst -, ,$(K)))
	@kernel-patch/build $(K)

patch-check: ## the checkers of the kernel on the patch series; SERIES=6.12 for one of them
	@scripts/deps kernel patch-check $(SERIES:%=source-%)
	@kernel-patch/check $(SERIES)

patch-each: ## build and boot a kernel after each patch of the series
	@scripts/deps kernel vm $(SERIES:%=source-%)
	@kernel-patch/boot-each $(SERIES)

mutants: ## break the series on purpose, and see that its selftests notice
	@scripts/deps kernel vm source-6.12
	@kernel-patch/mutants/run

patch-test: ## the series on kernels of its own: the sample, and the kernel's selftests compared
	@scripts/test patch

test-repeat: ## the tests in guests N times over, to find those that fail now and then: N=10 FILES="test_why.py …"
	@N="$(N)" FILES="$(FILES)" scripts/test repeat

vm: ## a shell in a guest, with lastref and the test modules: K=6.12, stock-6.12, …
	@scripts/deps build vm $(if $(filter stock-%,$(K)),,kernel source-$(firstword $(subst -, ,$(K))))
	@tests/vm/boot.py --kernel $(K) --shell

soak: ## unload under stress by the thousand, resumable: K=6.12 ROUNDS=10000
	@scripts/deps build vm kernel source-$(firstword $(subst -, ,$(K)))
	@tests/soak/run --kernel $(K) $(if $(ROUNDS),--rounds $(ROUNDS))

soak-watched: ## load and unload by the hundred thousand under lastref, resumable: K=6.12 ROUNDS=100000, or MINUTES=60
	@scripts/deps build vm kernel source-$(firstword $(subst -, ,$(K)))
	@tests/soak/watched --kernel $(K) $(if $(ROUNDS),--cycles $(ROUNDS)) $(if $(MINUTES),--minutes $(MINUTES))

bench: ## what tracing costs, kept in docs/performance.*: BENCH=6.12 for one kernel
	@scripts/deps build vm bench kernel $(filter-out source-stock-%,$(BENCH:%=source-%))
	@tests/bench/run $(BENCH:%=--kernel %)

bench-check: ## fail if lastref costs more than 5 % more than is kept: BENCH=6.12 for one kernel
	@scripts/deps build vm kernel $(filter-out source-stock-%,$(BENCH:%=source-%))
	@tests/bench/run --check $(BENCH:%=--kernel %)

fuzz: ## look for inputs that break lastref, resumable: FUZZ=wire SECONDS=600
	@scripts/deps build test
	@scripts/build asan
	@scripts/fuzz long $(FUZZ) $(SECONDS)

oracle: ## random programs against lastref, resumable: K=6.12 ROUNDS=10000 SEED=1
	@scripts/deps build vm $(if $(filter stock-%,$(K)),,kernel source-$(firstword $(subst -, ,$(K))))
	@tests/oracle/run --kernel $(K) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED))

install: ## install below PREFIX (/usr/local), for packagers with DESTDIR
	@scripts/deps build package
	@scripts/build release
	@scripts/build manual
	@cmake --install build/release --prefix "$(PREFIX)"

deb: ## make a Debian package: build/lastref_*.deb
	@scripts/deps build package
	@scripts/package

static: ## one file without the exporter that needs no library: build/release/lastref-static
	@scripts/deps build
	@scripts/build static
	@ls build/release/lastref-static

clean: ## remove what was built here (the cache of kernels stays in ~/.cache/lastref)
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13
