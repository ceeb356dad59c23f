# driftgate: `make demo` shows it, `make test` proves it. Needs POSIX sh and GNU make 3.81.
#
# `make test STEPS="clippy unit"` runs some of the steps; the full list stands here alone.

CARGO ?= cargo
LOGS = target/steps
REASONS = '^ *error|panicked at|FAILED|^failures:|^ *Caused by|process didn.t exit'
STEPS = need fmt clippy features unit process docs kafka bench demo

.PHONY: test test-fast lint bench fuzz demo up image $(addprefix step-,$(STEPS))

# Each step's output is kept; of one that fails, the lines that say why come again at the very end.
test:
	@mkdir -p $(LOGS); for step in $(STEPS); do \
	  start=$$(date +%s); echo "==> $$step"; rm -f $(LOGS)/failed; \
	  { $(MAKE) --no-print-directory step-$$step || : >$(LOGS)/failed; } 2>&1 | tee $(LOGS)/$$step.log; \
	  took=$$(( $$(date +%s) - start )); \
	  if [ -e $(LOGS)/failed ]; then \
	    echo "<== $$step: FAILED after $$took s; all of it is in $(LOGS)/$$step.log, this is why:"; \
	    grep -n -E $(REASONS) $(LOGS)/$$step.log | head -n 40; exit 1; \
	  fi; \
	  echo "<== $$step: ok in $$took s"; \
	done; echo "all steps passed: $(STEPS)"

# The inner loop: under three minutes once built.
test-fast: step-fmt step-clippy step-unit

lint: step-fmt step-clippy

step-need:
	@.ci/need build && .ci/need lint && .ci/need kafka

step-fmt:
	$(CARGO) fmt --check

# `kafka` has `test = false` (plain `cargo test` needs no Java), so it has to be named.
step-clippy:
	$(CARGO) clippy --locked --all-targets --all-features -- -D warnings
	$(CARGO) clippy --locked --test kafka --all-features -- -D warnings

step-features:
	@set -e; for features in "" kafka mimalloc jemalloc; do \
	  echo "features: [$$features]"; \
	  $(CARGO) clippy --locked --quiet --no-default-features --features "$$features" -- -D warnings; \
	done

step-unit:
	$(CARGO) test --locked --lib --bins
	$(CARGO) test --locked --doc

step-process:
	$(CARGO) test --locked --test it

step-docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

step-kafka:
	$(CARGO) test --locked --test kafka

# Whether every bench still runs and its checks hold; the figures of so short a run say nothing.
step-bench:
	$(CARGO) bench --locked --profile release --bench proxy_overhead -- --test
	$(CARGO) bench --locked --profile release --bench infer -- --test
	$(CARGO) bench --locked --profile release --bench contract -- --test

step-demo:
	$(CARGO) build --release --locked
	target/release/driftgate demo --once

demo:
	@.ci/need build
	$(CARGO) build --release --locked
	target/release/driftgate demo

# Ten minutes for each reader of what comes from outside; needs a C++ compiler, no other toolchain.
fuzz:
	tests/fuzz/run

# The cost, by thread, against a bare proxy: about ten minutes on an idle machine. nginx joins in where it is installed.
bench:
	$(CARGO) bench --locked --bench proxy_overhead
	$(CARGO) bench --locked --bench infer
	$(CARGO) bench --locked --bench contract

image:
	docker build --tag driftgate .

up:
	docker compose up --build
