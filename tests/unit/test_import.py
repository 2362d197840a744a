"""What `import topes` brings with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import topes

HEAVY = "cvxpy", "matplotlib", "pandas", "sklearn", "torch", "distributed", "pyarrow"


@pytest.mark.parametrize("module", ["topes", "topes.cli"])
def test_a_light_start(module):
    script = f"import {module}, sys; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_training_needs_no_cvxpy():
    script = "import topes, sys; topes.train([[1.0], [-2.0]], [1.0, 2.0], beta=0.1); print('cvxpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_modules_are_there_without_an_import_of_their_own():
    modules = "estimators", "large", "losses", "plotting", "features"
    script = f"import topes; print({', '.join(f'topes.{name}.__name__' for name in modules)})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"topes.{name}" for name in modules]
    with pytest.raises(AttributeError, match="has no attribute 'nosuch'"):
        _ = topes.nosuch
