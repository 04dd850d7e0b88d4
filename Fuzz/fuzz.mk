# make fuzz SECONDS=60: every libFuzzer target for so many seconds; a finding ends it and leaves its input under Fuzz/findings.

FUZZ_TARGETS = tokens prelogin login7 rpc bulk pcap
# Memory in MiB: a decoder that reserves what a length field says would go beyond it.
FUZZ_FLAGS = -max_len=16384 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1

.PHONY: fuzz fuzz-build fuzz-seeds $(addprefix fuzz-,$(FUZZ_TARGETS))

fuzz: $(addprefix fuzz-,$(FUZZ_TARGETS))

fuzz-build:
	$(SWIFT) build --package-path Fuzz -c release --sanitize=fuzzer

# The golden files as bytes, and the inputs of findings that are mended.
fuzz-seeds:
	python3 Fuzz/seeds.py Fixtures/golden Fuzz/.build/seeds

$(addprefix fuzz-,$(FUZZ_TARGETS)): fuzz-%: fuzz-build fuzz-seeds
	mkdir -p Fuzz/.build/corpus/$* Fuzz/regressions/$* Fuzz/findings
	SWIFT_BACKTRACE=enable=no $$($(SWIFT) build --package-path Fuzz -c release --sanitize=fuzzer --show-bin-path)/fuzz-$* \
		-max_total_time=$(SECONDS) $(FUZZ_FLAGS) -artifact_prefix=Fuzz/findings/$*- \
		Fuzz/.build/corpus/$* Fuzz/regressions/$* Fuzz/.build/seeds/$*
