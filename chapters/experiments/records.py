"""Results of experiments: stored as JSON beside the script that makes them, to five digits.

Numbers that are not finite (a run that diverged) are stored as null.
"""

import json
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

HERE = Path(__file__).parent
# Products of small matrices take longer on several threads than on one.
threadpool_limits(1)


def rounded(value):
    """`value` with its arrays as lists and its numbers to five significant digits."""
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple | range):
        return [rounded(item) for item in value]
    if isinstance(value, str | bool | int | np.integer | np.bool_ | None):
        return value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.5g}") if np.isfinite(value) else None


def store(name, **contents):
    """Write `contents` to `name.json`, a line per entry, with the command that makes it again."""
    contents = {"command": f"python -m chapters.experiments.{name}", **rounded(contents)}
    lines = [f"{json.dumps(key)}: {json.dumps(item, allow_nan=False)}" for key, item in contents.items()]
    (HERE / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def load(name):
    """What `store` wrote; null is nan again."""
    return json.loads((HERE / f"{name}.json").read_text())


def mean_and_error(values, axis=-1):
    """The mean over `axis` and its standard error, as `[mean, error]`."""
    values = np.asarray(values, float)
    return np.array([values.mean(axis), values.std(axis, ddof=1) / np.sqrt(values.shape[axis])])


def paired(difference):
    """The mean of `(splits, seeds)` and its standard error: over runs or over splits, whichever is larger."""
    mean, over_runs = mean_and_error(np.ravel(difference))
    return [mean, max(over_runs, mean_and_error(np.mean(difference, axis=-1))[1])]
