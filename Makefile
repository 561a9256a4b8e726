# make run and make test set up what is missing, say so, and are quiet otherwise.
SHELL := /bin/sh
.DEFAULT_GOAL := build
MAKEFLAGS += --no-print-directory
# apt-get holds one lock, and go builds in parallel by itself.
.NOTPARALLEL:

TOOLS := staticcheck templ nats-server versitygw
TOOL_BINS := $(addprefix build/tools/,$(TOOLS))

staticcheck_from := honnef.co/go/tools/cmd/staticcheck
templ_from       := github.com/a-h/templ/cmd/templ
nats-server_from := github.com/nats-io/nats-server/v2
versitygw_from   := github.com/versity/versitygw/cmd/versitygw

# Without tables for debuggers a test binary links in a fraction of the time, and make lint vets.
LINK := -ldflags=-w -vet=off

# What tests write nobody keeps, and a memory file system takes it without waiting for a disk.
# Where there is none, or too little of it, they write where TMPDIR says. Builds stay on disk.
ROOM := $(shell [ $$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1) -gt 6000000 ] 2>/dev/null && echo yes)
TESTS := $(if $(ROOM),GOTMPDIR=$(or $(TMPDIR),/tmp) TMPDIR=/dev/shm)

# Many tests wait for a clock or another process: more of them at a time than processors.
PARALLEL := -parallel 5

# Where there is room, short-lived test binaries need not collect what they could keep, nor need what
# they start; e2e's programs do as they do elsewhere.
UNITS := $(if $(ROOM),GOGC=400)

# A clone that belongs to another user makes git refuse, and with it go's version stamp.
STAMP = $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)

.PHONY: run test race build bench e2e lint generate promises models setup setup-test tools clean

## run: set up what is missing, then serve on the default address
run: build models
	@exec bin/musa serve

## test: set up what is missing, then every test, the browser's last
test: setup-test tools models
	$(TESTS) $(UNITS) go test $(LINK) $(PARALLEL) -timeout 20m ./...
	$(TESTS) go test $(LINK) $(PARALLEL) -timeout 20m -tags e2e ./e2e/...

## race: the unit tests again under the race detector
race: setup-test tools models
	$(TESTS) go test -race -timeout 30m ./...

## build: bin/musa
build: setup
	@[ -e bin/musa ] || echo "building bin/musa (the first time takes some minutes)"
	@go build $(STAMP) -o bin/musa ./cmd/musa

## bench: the figures that doc/benchmarks.md records
bench: setup-test tools models
	go test -run '^$$' -bench . -benchmem -timeout 60m ./bench/...

## e2e: a real browser against a real server
e2e: setup-test models
	$(TESTS) go test $(LINK) $(PARALLEL) -timeout 20m -tags e2e ./e2e/...

## lint: formatting, vet, staticcheck, generated pages up to date
lint: setup tools
	@bad=$$(find . -name '*.go' -not -name '*_templ.go' -not -path './build/*' -print0 | xargs -0 gofmt -l); \
	if [ -n "$$bad" ]; then echo "not formatted (gofmt -w):"; echo "$$bad"; exit 1; fi
	@setup/pages.sh build/tools/templ
	go vet -tags e2e ./...
	build/tools/staticcheck -tags e2e ./...

## generate: pages from their templates
generate: tools
	@build/tools/templ generate

## promises: run the conformance tests and write doc/promises.md
promises: setup-test tools models
	$(TESTS) go run ./conformance/report

## models: fetch the neural networks that are missing
models: build
	@bin/musa models pull

## setup: what building and serving needs
setup:
	@setup/packages.sh run
	@setup/go.sh

setup-test:
	@setup/packages.sh test
	@setup/packages.sh photographs
	@setup/go.sh

tools: $(TOOL_BINS)

build/tools/%: tools/go.mod tools/go.sum
	@echo "building $@"
	@mkdir -p build/tools
	@go build -C tools $(STAMP) -o ../$@ $($*_from)
	@touch $@

## clean: what was built; data, keys and networks stay
clean:
	rm -rf bin build
