# One command per task; `make help` explains them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
CARGO_DENY_VERSION := 0.20.2
CACHE := $(or $(SEATKEEPER_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/seatkeeper)
CARGO_DENY := $(CACHE)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
# Run where it was built: cargo run would resolve other features and build half of it again.
QUICKSTART := $(or $(CARGO_TARGET_DIR),target)/debug/quickstart
CARGO_MUTANTS_VERSION := 27.1.0
CARGO_MUTANTS := $(CACHE)/cargo-mutants-$(CARGO_MUTANTS_VERSION)/bin/cargo-mutants

.PHONY: help quickstart quickstart-down test shard torture evidence mutants lint deny advisories control-plane controllers oldest kubernetes generate fmt bench image image-tar

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

quickstart: control-plane ## Try it: control plane, simulated vendors and operator, with examples/ applied; Ctrl-C ends it
	@echo "building the operator and the simulator (about 4 minutes the first time) ..." >&2
	@cargo build --locked -p seatkeeper -p seatkeeper-quickstart --bins
	@exec $(QUICKSTART)

quickstart-down: ## End a quickstart that runs elsewhere in this checkout
	@if [ -x $(QUICKSTART) ]; then exec $(QUICKSTART) --down; else echo "quickstart: none was ever built here" >&2; fi

test: ## Everything CI runs, side by side: formatting, clippy, cargo-deny, all tests, the release binary; SKIP_CONTROL_PLANE=1 without Go
	@exec tests/runner/all.sh

shard: control-plane ## A part of all faults there are: SHARD=2/24. The nightly workflow plays each
	FAULT_SHARD=$${SHARD:?a part such as 2/24} cargo test --locked --test faults

torture: control-plane ## Random faults for DURATION (10m), with 20 polls of silence after each; SEED=N plays the same again
	DURATION=$${DURATION:-10m} cargo test --locked --test faults

evidence: control-plane ## Take away one guard at a time, see its test fail, and write docs/evidence/guards.md (about an hour); WORDS='gates/ window' plays those alone
	cargo run --quiet --locked -p seatkeeper-evidence -- $(WORDS)

mutants: $(CARGO_MUTANTS) ## Change one place of the pure layers at a time and see a unit test fail: FILES='**/gates/*.rs', SHARD=2/24
	PROPTEST_CASES=16 $(CARGO_MUTANTS) mutants -p seatkeeper-pure $(if $(FILES),-f '$(FILES)') $(if $(SHARD),--shard $(SHARD)) \
	  --baseline skip --timeout 60 --cargo-arg=--lib --cargo-arg=--locked -o target

$(CARGO_MUTANTS):
	@echo "installing cargo-mutants $(CARGO_MUTANTS_VERSION) (about three minutes, once per user) ..." >&2
	env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=false cargo install cargo-mutants --locked --debug \
	  --version $(CARGO_MUTANTS_VERSION) --root $(CACHE)/cargo-mutants-$(CARGO_MUTANTS_VERSION) --quiet

lint: ## Formatting and clippy, warnings denied
	cargo fmt --all --check
	cargo clippy --locked --workspace --exclude seatkeeper-pure --all-targets -- -D warnings

deny: $(CARGO_DENY) ## Licenses, bans and sources of dependencies (advisories: make advisories)
	$(CARGO_DENY) --locked check bans licenses sources

$(CARGO_DENY):
	@echo "installing cargo-deny $(CARGO_DENY_VERSION) (about a minute, once per user) ..." >&2
	@# Unoptimized it is built in a quarter of the time, and takes two seconds to check instead of one.
	env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=false cargo install cargo-deny --locked --debug --version $(CARGO_DENY_VERSION) --root $(CACHE)/cargo-deny-$(CARGO_DENY_VERSION) --quiet

advisories: $(CARGO_DENY) ## Known vulnerabilities of dependencies (needs the internet for their database)
	$(CARGO_DENY) --locked check advisories

control-plane: ## Build etcd, kube-apiserver, kubectl and helm into the per-user cache (about 5 minutes, once)
	@tests/control-plane/build.sh >/dev/null

controllers: ## Build controller-manager, scheduler and kwok as well, for the tests of an installation (about 2 minutes, once)
	@tests/control-plane/build.sh controllers >/dev/null

kubernetes: ## What runs with the oldest Kubernetes, with one between it and the newest: VERSION=1.35
	@exec tests/runner/all.sh kubernetes $${VERSION:?1.34, 1.35 or 1.36}

oldest: ## Build the kube-apiserver of the oldest supported Kubernetes, for the tests with it (about 4 minutes, once)
	@tests/control-plane/build.sh oldest >/dev/null

generate: ## Write the CRDs to crds/ and the charts, their snapshots, docs/api-reference.md, docs/errors.md, and the tables of README.md, docs/, gitops/ and the charts' READMEs
	UPDATE_DOCS=1 cargo test --quiet --locked --test shape -- crds_in_repository readme_of_each_chart api_reference_matches every_message
	UPDATE_DOCS=1 cargo test --quiet --locked -p seatkeeper-years --test years
	UPDATE_DOCS=1 cargo test --quiet --locked -p seatkeeper-pure --lib -- states_that_gitops
	UPDATE_DOCS=1 go -C gitops/test test -count=1 ./...
	UPDATE_DOCS=1 go -C charts/test test -count=1 -run Snapshots ./...
	UPDATE_DOCS=1 cargo test --quiet --test behavior -- errors::errors_document docs::readme_table docs::answers_that_prove

fmt: ## Format all code
	cargo fmt --all

bench: control-plane ## Measure: apply-to-vendor time, memory with 1 000 objects, binary size, requests a minute with 5 000, and 40 organizations at a window's opening
	cargo bench --locked --bench rate_limit
	cargo bench --locked --bench operator
	cargo bench --locked --bench windows

image: ## Build the container image (needs docker)
	docker build -t seatkeeper:dev .

image-tar: ## The same image without docker, in target/image: its root file system, and an OCI archive (needs dpkg-deb and curl)
	cargo build --release --locked -p seatkeeper
	packaging/image-tar.sh $(or $(CARGO_TARGET_DIR),target)/release/seatkeeper target/image
