"""Real data: scikit-learn's handwritten digits, in fixed splits."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def digits(split=0, center=False, noise=0.0):
    """Handwritten digits, 8 × 8 pixels, as `x, y, x_test, y_test`.

    A quarter is kept for testing, every class in its share; `split` is the seed of that
    division. Inputs have shape (1347, 64) and (450, 64) and lie in [0, 1]; with `center` the mean of the
    training pictures is taken off both. Labels are whole numbers 0 to 9. `noise` is the share of the
    *training* labels that are replaced by a class drawn at random.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, 1998.
    """
    if not 0 <= noise <= 1:
        raise ValueError(f"noise is {noise}; it is a share between 0 and 1")
    images, labels = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(
        images / 16, labels, test_size=0.25, stratify=labels, random_state=split
    )
    mean = x.mean(axis=0) if center else 0.0
    return x - mean, mislabel(y, noise, seed=split), x_test - mean, y_test


def mislabel(y, noise, seed=0):
    """The labels `y` with a share `noise` of them replaced by a class drawn at random (perhaps the same)."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(y))[: round(noise * len(y))]
    wrong = y.copy()
    wrong[chosen] = rng.integers(y.max() + 1, size=len(chosen))
    return wrong
