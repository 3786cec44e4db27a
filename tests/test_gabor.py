"""The model and the data."""

import numpy as np

from fitlib import gabor
from fitlib.equations import equations


def test_the_data_are_those_of_the_seed():
    x, y = gabor.draw(gabor.SEED)
    np.testing.assert_array_equal((x, y), gabor.loss.data)
    assert len(x) == 30 and (np.abs(x) <= 15).all()
    assert 0.1 < np.std(y - gabor.gabor(x, gabor.TRUE)) < 0.2


def test_the_model_is_a_wave_under_a_bump():
    x = np.linspace(-15, 15, 7)
    u = 1.5 + 0.06 * 9 * x
    np.testing.assert_allclose(gabor.gabor(x, (1.5, 9)), np.sin(u) * np.exp(-(u**2) / 32))


def test_its_equation_reads_like_its_code():
    assert equations(gabor.gabor, left="f") == [
        ("u", r"\phi_{0} + 0.06 \phi_{1} x"),
        ("f", r"\sin{\left(u \right)} e^{- \frac{u^{2}}{32}}"),
    ]
