import numpy as np
import pytest
from sklearn.datasets import load_digits

from fitlib.data import digits, mislabel

SPLITS = range(5)


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_holds_every_picture_once(split):
    x, y, x_test, y_test = digits(split)
    assert x.shape == (1347, 64) and x_test.shape == (450, 64)
    ours = np.column_stack([np.concatenate([x, x_test]), np.concatenate([y, y_test])])
    images, labels = load_digits(return_X_y=True)
    theirs = np.column_stack([images / 16, labels])
    assert np.array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


@pytest.mark.parametrize("split", SPLITS)
def test_every_class_has_its_share(split):
    _, y, _, y_test = digits(split)
    total = np.bincount(y) + np.bincount(y_test)
    assert np.all(np.abs(np.bincount(y_test) - total / 4) < 1)


def test_splits_are_fixed_and_differ():
    again = [digits(split)[0] for split in SPLITS]
    for split in SPLITS:
        for other in SPLITS:
            assert np.array_equal(digits(split)[0], again[other]) == (split == other)


def test_centering_takes_the_training_mean_off_both():
    x, y, x_test, y_test = digits(2)
    centered, same, centered_test, same_test = digits(2, center=True)
    np.testing.assert_allclose(centered.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(centered_test + x.mean(axis=0), x_test, atol=1e-14)
    assert np.array_equal(y, same) and np.array_equal(y_test, same_test)


def test_noise_changes_training_labels_only():
    _, y, _, y_test = digits(1)
    _, noisy, _, clean = digits(1, noise=0.5)
    # Half are drawn anew, and one in ten of those falls on the right class again.
    assert 0.40 < np.mean(noisy != y) < 0.50
    assert np.array_equal(y_test, clean)
    assert np.array_equal(noisy, digits(1, noise=0.5)[1])


def test_mislabel_leaves_its_argument_alone():
    y = np.arange(10)
    mislabel(y, 1.0)
    assert np.array_equal(y, np.arange(10))
    assert np.array_equal(mislabel(y, 0.0), y)


@pytest.mark.parametrize("noise", [-0.1, 1.5, np.nan])
def test_a_share_outside_0_to_1_is_refused(noise):
    with pytest.raises(ValueError, match="noise is .*a share between 0 and 1"):
        digits(noise=noise)
