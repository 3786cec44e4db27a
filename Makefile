# The commands of the book; `make` alone lists them.

PYTHON := $(shell command -v python3)
unexport PYTHONDONTWRITEBYTECODE
RUN := .venv/bin/python -m
PORT := 8000
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg
CHAPTERS := 'chapters/*.ipynb'
CHANGED = $(shell git diff --name-only --diff-filter=d HEAD -- $(CHAPTERS); git ls-files --others --exclude-standard $(CHAPTERS))

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

read: .venv/book ## build the book and serve it (make read PORT=8001)
	@$(RUN) tools.serve $(PORT)

book: .venv/book ## build the book, if anything changed
	@$(RUN) tools.book

notebooks: .venv/book ## run all chapters anew and store their outputs
	@$(RUN) tools.notebooks

lab: .venv/lab ## open the chapters in JupyterLab
	@cd chapters && ../$(RUN) jupyterlab

check: .venv/tests ## the quick check: style, unit tests, chapters that differ from the last commit
	@$(RUN) pytest -n auto --ignore tests/browser $(NBVAL) tests $(CHANGED)

test: .venv/tests .venv/book ## everything: style, unit tests, all chapters, the built site in a browser
	@$(RUN) tools.browser; $(RUN) tools.pyodide; $(RUN) tools.book
	@$(RUN) pytest -n auto --ignore tests/browser/sweep $(NBVAL) tests chapters

sweep: .venv/tests .venv/book ## every cell of every chapter in the page of a browser, and from a session of its own (20 minutes)
	@$(RUN) tools.browser; $(RUN) tools.pyodide; $(RUN) tools.book
	@$(RUN) pytest -n auto tests/browser/sweep && $(RUN) tests.page_sweep

lint: .venv/tests ## style of the code
	@$(RUN) ruff check .

bench: .venv/tests ## speed, side by side with peers
	@$(RUN) benchmarks

clean: ## remove what was built
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis

.venv/book: requirements.txt pyproject.toml
.venv/tests: tests/requirements.txt requirements.txt pyproject.toml
.venv/lab: tools/lab.txt requirements.txt pyproject.toml
.venv/%:
	@$(or $(PYTHON),$(error No python3 was found: install Python 3.11 or newer and run make again)) tools/setup.py $< && touch $@

.PHONY: help read book notebooks lab check test sweep lint bench clean
