"""What `import mixup` offers, and what it costs."""

import subprocess
import sys
from importlib import import_module

import pytest

import mixup

# One process each: what other tests import must not count.
NO_FRAMEWORK = """
import sys
from mixup import *
import mixup
# torch's compiler takes as long to import as torch itself
slow = {"torch._dynamo", "lightning", "transformers", "scipy", "pandas", "matplotlib"}
loaded = slow & set(sys.modules)
assert not loaded, loaded
assert "mixup.integrations" not in sys.modules
"""
QUICK_STAGES = """
import sys
import stages.code, stages.download_mnist, stages.summarize, stages.train, stages.validate
slow = {"torch", "sklearn", "scipy.stats"}
assert not slow & set(sys.modules), slow & set(sys.modules)
import stages.answer, stages.claims, stages.report  # which test by scipy.stats
slow -= {"scipy.stats"}
assert not slow & set(sys.modules), slow & set(sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("script", [NO_FRAMEWORK, QUICK_STAGES], ids=["library", "study"])
def test_importing_costs_no_more_than_it_must(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_there_and_no_other() -> None:
    modules = {"mixing", "models", "integrations"}
    public = {name for name in vars(mixup) if not name.startswith("_")}
    assert public - modules == set(mixup.__all__)
    for name in mixup.__all__:
        value = getattr(mixup, name)
        assert value.__doc__
        assert value is getattr(import_module(value.__module__), name)
