# build     the release binary at target/release/flumen
# demo      the main job end to end, from nothing
# test      everything that CI asks for
# test-all  the same with the server killed at every point instead of a selection
# bench     figures against the peer, as ratios of one run

CACHE ?= $(HOME)/.cache/flumen
CARGO ?= cargo

.PHONY: build demo test test-all bench setup pure lint e2e

build: target/release/flumen

target/release/flumen: FORCE
	$(CARGO) build --release --locked --package flumen

.PHONY: FORCE
FORCE:

setup:
	@scripts/setup

demo: setup
	$(CARGO) build --release --locked --package flumen --package flumen-e2e
	@target/release/flumen-demo target/release/flumen $(CACHE)

test: setup lint pure e2e

test-all: export FLUMEN_ALL_KILLS = 1
test-all: test

lint:
	$(CARGO) fmt --all --check
	$(CARGO) xtask check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

pure:
	$(CARGO) test --locked --workspace --exclude flumen-e2e

# One at a time: each starts JVMs, and two cores are all there may be.
e2e:
	$(CARGO) build --locked --package flumen
	$(CARGO) test --locked --package flumen-e2e -- --test-threads 1

bench: setup
	$(CARGO) build --release --locked --package flumen --package flumen-bench
	@target/release/flumen-bench target/release/flumen $(CACHE)
