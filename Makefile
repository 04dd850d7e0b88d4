# swift-tds. On a fresh Debian 12 with Swift: `make demo` and `make test`.

SWIFT ?= swift
# Set SANITIZE=address or SANITIZE=thread for `make test` under a sanitizer.
SANITIZE ?=
BUILD_FLAGS = $(if $(SANITIZE),--sanitize=$(SANITIZE) --scratch-path .build-$(SANITIZE))
SECONDS ?= 60

.PHONY: help demo test build prerequisites conformance transcripts bench lint clean

help:
	@echo "make demo         build, start the simulator with a small shop, capture it through the Flow protocol, show the documents"
	@echo "make test         all tests that need no outside server"
	@echo "make conformance  independent clients against the simulator (Python; makes a virtual environment)"
	@echo "make transcripts  the acceptance transcripts, where ../shared is present"
	@echo "make bench        measures decoding, reading and capturing, beside other clients where ../shared is present"
	@echo "make fuzz         runs every fuzz target for SECONDS=60 seconds"
	@echo "make build        release builds of connector, sqlserver-simulator and tdsql"

# libssl-dev and zlib1g-dev, if they are missing: asks apt, with sudo unless root.
prerequisites:
	@Tools/prerequisites.sh

demo: prerequisites
	$(SWIFT) build --product sqlserver-simulator
	$(SWIFT) build --product connector
	$(SWIFT) build --product demo
	@echo
	@"$$($(SWIFT) build --show-bin-path)/demo"

# One test at a time: many work hard without a pause, and would keep others waiting until their deadlines pass.
test: prerequisites
	@Tools/test.sh $(SWIFT) test --no-parallel $(BUILD_FLAGS)

build: prerequisites
	$(SWIFT) build -c release --product connector
	$(SWIFT) build -c release --product sqlserver-simulator
	$(SWIFT) build -c release --product tdsql

conformance: build
	Tools/conformance.sh

transcripts: build
	Tools/transcripts.sh

bench: build
	Tools/bench.sh

clean:
	rm -rf .build .build-* Benchmarks/.build

-include Fuzz/fuzz.mk
