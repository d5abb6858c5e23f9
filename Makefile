# The two commands of the README, and what they are made of.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BUILD_PACKAGES := libpq-dev libnats-dev libjemalloc-dev libsodium-dev libzstd-dev postgresql nats-server pkg-config
SOURCES := Package.swift Sources Projections Tests schema
# The standard library is linked in: our own processes take a fifth less time for a booking.
RELEASE := swift build -c release --static-swift-stdlib --product quartermaster

.PHONY: help run test test-deploy bench swift build-packages format lint

help: ## Show this.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: swift build-packages ## Build everything and run the whole system here.
	$(RELEASE)
	exec .build/release/quartermaster up

test: swift build-packages ## Run every check and every test.
	@.ci/test

test-deploy: ## Bring compose/ up for real, roll it, kill it, restore it (needs root or Docker; an hour at first).
	@Tests/Deployment/run

bench: swift build-packages ## Measure everything on this machine.
	@.ci/install wrk "the load generator of the bench"
	$(RELEASE)
	.build/release/quartermaster bench --events 5000000 --runs 3 --seconds 2

format: ## Format the sources.
	swift format format --in-place --recursive $(SOURCES)

lint: ## Check the formatting.
	swift format lint --strict --recursive $(SOURCES)

swift:
	@.ci/require-swift

build-packages:
	@.ci/install $(BUILD_PACKAGES) "PostgreSQL, NATS and their client libraries"
