# build     the release binary at target/release/flumen
# demo      the main job end to end, from nothing
# test      everything that CI asks for
# test-all  the same with the server killed at every point instead of a selection, on every Flink version, and with Maven
#           asked anew
# bench     figures against the peer, as ratios of one run, and what it costs to follow jobs
# conformance-kubernetes  the suite that holds the local cluster to account, run on a real Kubernetes control plane
# conformance-record      the same, and what it answers becomes the record that `test` compares with
# e2e-kubernetes          the main job and the streaming job, with that control plane for the local cluster
# clients   kubectl, fabric8, client-go and the Python client against the local cluster, or with CONTROL_PLANE=DIRECTORY
#           against Kubernetes' own control plane
# fuzz      every reader of foreign text, FUZZ_SECONDS each; what it finds stays in fuzz/found

CACHE ?= $(HOME)/.cache/flumen
CARGO ?= cargo
FUZZ_SECONDS ?= 600
export FLUMEN_TEST_TOOLS ?= $(CACHE)/test-tools

.PHONY: build demo test test-all bench fuzz setup setup-tests setup-maven pure lint e2e
.PHONY: conformance-kubernetes conformance-record e2e-kubernetes clients

build: target/release/flumen

target/release/flumen: FORCE
	$(CARGO) build --release --locked --package flumen

.PHONY: FORCE
FORCE:

setup:
	@scripts/setup

setup-tests:
	@scripts/setup tests

setup-maven:
	@scripts/setup maven

demo: setup
	$(CARGO) build --release --locked --package flumen --package flumen-e2e
	@target/release/flumen-demo target/release/flumen $(CACHE)

test: setup-tests lint pure e2e

test-all: export FLUMEN_ALL_KILLS = 1
test-all: export FLUMEN_ALL_VERSIONS = 1
test-all: export FLUMEN_ASK_MAVEN = 1
test-all: setup-maven test

lint:
	$(CARGO) fmt --all --check
	$(CARGO) xtask check
	$(CARGO) clippy --locked --workspace --all-targets --test end_to_end -- -D warnings

pure:
	$(CARGO) test --locked --workspace

# One at a time: each starts JVMs, and two cores are all there may be. Of the whole workspace, as above, so that nothing is
# compiled again with other features.
e2e: export FLUMEN_CACHE_DIRECTORY = $(CACHE)
e2e: setup-tests
	$(CARGO) build --locked --workspace --bin flumen --test end_to_end
	$(CARGO) test --locked --workspace --test end_to_end -- --test-threads 1

bench: setup
	$(CARGO) build --release --locked --package flumen --package flumen-bench
	@target/release/flumen-bench target/release/flumen $(CACHE)
	$(CARGO) bench --locked --package flumen-control --bench follow

# All three need Go 1.25 or later, which builds the control plane once, into the cache, and unshare and ip.
conformance-kubernetes:
	@$(CARGO) run --locked --package flumen-conformance -- kubernetes $(CACHE)

conformance-record:
	@$(CARGO) run --locked --package flumen-conformance -- record $(CACHE)

e2e-kubernetes: export FLUMEN_CACHE_DIRECTORY = $(CACHE)
e2e-kubernetes: setup-tests
	$(CARGO) build --locked --workspace --bin flumen --bin flumen-conformance --test end_to_end
	programs="$$(target/debug/flumen-conformance build $(CACHE) | tail -n 1)" && \
		FLUMEN_TEST_CONTROL_PLANE="$$programs" \
		$(CARGO) test --locked --workspace --test end_to_end -- --test-threads 1 main_job streaming

# Needs Go 1.25 or later for two of them.
clients: export CONTROL_PLANE := $(CONTROL_PLANE)
clients: setup
	$(CARGO) build --locked --workspace --bin flumen
	@scripts/clients/run target/debug/flumen $(CACHE)

# Without a sanitizer, which needs a nightly compiler and looks for what safe Rust cannot do.
fuzz: setup
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz --version 0.13.2
	@set -e; for target in $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs))); do \
		mkdir -p fuzz/found/$$target; \
		$(CARGO) fuzz run --sanitizer none $$target fuzz/found/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=0; \
	done
