# make demo   the main job on a study made here, with known truth; results in demo/
# make test   format, lint, types and all tests; PYTEST= for more arguments, such as --cov or the name of a file
# make quick  format, lint, types and the tests that are not slow
# make conformance   docs/conformance.md from the tables in the code
# make schema   docs/result.schema.json and docs/reason-codes.md from the code
# make validate  the quick validation kit; what it leaves is in demo/kit
# make costs    the table of costs of this machine, which nobody else should use meanwhile, and what follows from it
# make figures  demo, kit and strengths, and their figures into the documents that show them
# make map    the application package, an OCI image; TARGET=gpu, INDEX= and BASE= as the Dockerfile says
# make map-run IN=study OUT=results   the package on a study; ARGS= for the application
# make map-test   build the package and judge it
# make release    the package, its list of contents and its documents, in build/, and whether a second build is the same
# Each sets up .venv by itself. Python 3.11 to 3.13 is needed: make PYTHON=python3.12 demo

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
NAME := $(shell sed -n 's/^  name: //p' app.yaml)
VERSION := $(shell sed -n 's/^  version: //p' app.yaml)
IN_VENV := .venv/bin/python
ENGINE := $(PYTHON) deploy/map/engine.py
IMAGE := $(NAME):$(VERSION)
BUILD := $(IMAGE) $(VERSION) --target "$(TARGET)" --index "$(INDEX)" --base "$(BASE)"

.PHONY: demo test quick validate conformance schema costs figures map map-run map-test release clean

demo: .venv/product
	$(IN_VENV) -m validation.demo

test quick: .venv/checks
	$(IN_VENV) -m ruff format --check .
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m mypy
	ulimit -S -s 32768 2>/dev/null; $(IN_VENV) -m pytest $(if $(filter quick,$@),-m "not slow") $(PYTEST)

conformance: .venv/product
	$(IN_VENV) -m app.conformance > docs/conformance.md

schema: .venv/product
	$(IN_VENV) -m app.result_schema docs

validate: .venv/product
	$(IN_VENV) -m app validate --out demo/kit --quick

costs: .venv/product
	$(IN_VENV) -m bench.costs --write
	$(IN_VENV) -m bench.growth > docs/figures/growth.txt
	$(IN_VENV) -m bench.scale > docs/figures/scale.txt
	$(IN_VENV) -m validation.figures

figures: demo
	cp demo/table.txt docs/figures/demo.txt
	cp demo/pictures/ct_soft.png demo/pictures/us_still_grey.png docs/pictures/
	$(IN_VENV) -m bench.strengths > docs/figures/strengths.md
	-$(IN_VENV) -m app validate --out demo/kit --quick
	$(IN_VENV) -m validation.figures demo/kit/validation.json

map:
	$(ENGINE) build $(BUILD)

map-run:
	@test -n "$(IN)" -a -n "$(OUT)" || { echo "make map-run IN=study OUT=results" >&2; exit 2; }
	$(ENGINE) run $(IMAGE) "$(IN)" "$(OUT)" $(ARGS)

map-test: map
	$(PYTHON) deploy/map/judge.py $(IMAGE)

release: map
	$(PYTHON) deploy/map/release.py $(IMAGE) build
	$(PYTHON) deploy/map/rebuild.py $(BUILD)

clean:
	rm -rf .venv demo build

.venv/product: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 with its venv module is needed; name it by PYTHON=" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(IN_VENV) -m pip install --disable-pip-version-check --quiet -r requirements.txt
	touch $@

.venv/checks: .venv/product requirements-dev.txt
	$(IN_VENV) -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt
	touch $@
