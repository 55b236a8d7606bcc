# `make repro` and `make test` are all a newcomer needs. Works with GNU make 3.81 or newer.
# .venv belongs to this file: whenever requirements.lock changes, it is made anew.

PYTHON ?= python3
BIN := .venv/bin
# A copy of the lock file, written last: without it, the set-up was interrupted and starts again.
INSTALLED := .venv/requirements.lock
# A study is many processes: where this is set, each of them would compile the code for itself.
unexport PYTHONDONTWRITEBYTECODE
# Stages and tests start `python`; PATH makes that the one in .venv, activated or not.
RUN = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m
# Tests of a file stay together, as they share what was trained for them.
PYTEST = $(RUN) pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder
SITE := site
FULL = cd full && PATH="$(CURDIR)/$(BIN):$$PATH" python -m

.PHONY: help repro full verify verify-full test check bench docs setup venv new-venv scm
.NOTPARALLEL:

help:
	@echo "make repro        set up, run the whole study, show what was found"
	@echo "make full         the same for the full study, in full/: needs all of MNIST, hours"
	@echo "make verify       train all of the committed study anew, elsewhere; do its numbers hold here?"
	@echo "make verify-full  the same for full/: hours"
	@echo "make test         set up, then lint, types, import rules and all tests"
	@echo "make check        set up, then the fast tests"
	@echo "make bench        set up, then measure: mixing, training steps, scaling; into bench/"
	@echo "make docs         set up, then build the documentation: site/html/index.html"
	@echo "make setup        only set up: the pinned packages in .venv"

repro: setup
	$(RUN) dvc repro
	@$(RUN) tools.show_results

full: setup
	$(FULL) dvc repro
	@PATH="$(CURDIR)/$(BIN):$$PATH" && cd full && python ../tools show_results

# In a clone without dvc.lock and with a cache of its own, so that nothing comes from an earlier run,
# and nothing of this folder is touched. Changes that are not committed take no part.
verify-full: STUDY := full
verify verify-full: setup
	@git rev-parse --quiet --verify HEAD >/dev/null || { \
	    echo "make $@ needs Git and a commit to compare with." >&2; exit 1; }
	@folder=$$(mktemp -d "$${TMPDIR:-/tmp}/verify.XXXXXX") && trap 'rm -rf "$$folder"' EXIT && trap 'exit 130' INT TERM && \
	    git clone --quiet "$$(git rev-parse --show-toplevel)" "$$folder/study" && \
	    cd "$$folder/study/$$(git rev-parse --show-prefix)$(STUDY)" && \
	    PATH="$(CURDIR)/$(BIN):$$PATH" && export PATH && \
	    rm -f dvc.lock && python -m dvc config --local cache.dir cache && \
	    python -m dvc repro claims && python $(if $(STUDY),..,.)/tools verify

test: setup
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(BIN)/lint-imports
	$(PYTEST)

# The integrations have slow tests only, and import Lightning and transformers.
check: setup
	$(PYTEST) -m "not slow" --ignore mixup/integrations

bench: setup
	mkdir -p bench
	$(RUN) benchmarks.mixing_overhead --csv bench/mixing_overhead.csv
	$(RUN) benchmarks.training_step --csv bench/training_step.csv
	$(RUN) benchmarks.cohort --csv bench/cohort.csv
	$(RUN) benchmarks.scaling --folder bench

docs: setup
	$(RUN) sphinx -M html . "$(SITE)" -c docs --fail-on-warning --quiet

setup: venv scm

# The second line notices a folder that was moved or copied, the third a Python that is gone.
venv:
	@cmp -s requirements.lock $(INSTALLED) \
	    && grep -qsF "$(CURDIR)/.venv" $(BIN)/activate \
	    && $(BIN)/python -c "" 2>/dev/null \
	    || $(MAKE) --no-print-directory new-venv

new-venv:
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || { \
	    echo "Python 3.11 or newer is needed, but '$(PYTHON) --version' says:"; \
	    "$(PYTHON)" --version; \
	    echo "Name another Python, for example: make repro PYTHON=python3.12"; \
	    exit 1; } >&2
	rm -f $(INSTALLED)
	"$(PYTHON)" -m venv --clear .venv
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile -r requirements.lock
	@# pip would compile on one core, and the tests of all packages as well.
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' .venv/lib || : # some have files for other Pythons
	cp requirements.lock $(INSTALLED)

# DVC wants a Git repository that holds the project, or to be told that there is none; of each study.
scm:
	@bin=$$(cd $(BIN) && pwd); \
	for study in . $(wildcard full); do \
	    ( cd $$study; \
	    if git ls-files --error-unmatch dvc.yaml >/dev/null 2>&1; then \
	        ! grep -qs no_scm .dvc/config.local || "$$bin"/python -m dvc config --local --unset core.no_scm; \
	    elif ! grep -qs no_scm .dvc/config.local; then \
	        "$$bin"/python -m dvc config --local core.no_scm true; \
	        echo "Git does not track $$PWD: DVC was told so in its .dvc/config.local."; \
	        echo "The pipeline and the tests work; 'dvc exp' and 'dvc metrics diff' need Git."; \
	        echo "Once the project is in Git, 'make setup' takes the setting back."; \
	    fi ) || exit 1; \
	done
