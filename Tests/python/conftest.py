"""What every test file shares: a seeded generator, and the number of threads put back after each test."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(20240607)


@pytest.fixture(autouse=True)
def default_number_of_threads():
    yield
    try:
        import swiftconv
    except ImportError:  # the oracle's own tests run without a core
        return
    swiftconv.set_num_threads(None)
