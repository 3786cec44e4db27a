"""Each line of code gives one line of mathematics, in its order."""

import numpy as np
import pytest

from fitlib import optimizers
from fitlib.equations import equations, show
from fitlib.symbolic import TraceError

ADAM = r"""g_{t} = \nabla L[\phi_{t-1}]
m_{t} = \beta m_{t-1} + \left(1 - \beta\right) g_{t}
v_{t} = \gamma v_{t-1} + \left(1 - \gamma\right) g_{t}^{2}
\hat{m}_{t} = \frac{m_{t}}{1 - \beta^{t}}
\hat{v}_{t} = \frac{v_{t}}{1 - \gamma^{t}}
\phi_{t} = \phi_{t-1} - \frac{\alpha \hat{m}_{t}}{\sqrt{\hat{v}_{t}} + \epsilon}"""


def test_adam_reads_like_the_paper():
    assert repr(show(optimizers.adam)) == ADAM
    assert show(optimizers.adam)._repr_latex_().count("&=") == 6


def test_the_look_ahead_is_written_where_the_gradient_is_taken():
    (_, right), _ = equations(optimizers.nesterov)
    assert r"\nabla L[\phi_{t-1} - \alpha \beta m_{t-1}]" in right


def test_the_time_index_can_start_elsewhere():
    assert equations(optimizers.gradient_descent, before="t", after="t+1") == [
        (r"\phi_{t+1}", r"\phi_{t} - \alpha \nabla L[\phi_{t}]")
    ]


def test_unpacking_gives_components():
    def f(phi):
        x, y = phi
        return (1 - x) ** 2 + np.abs(y)

    assert equations(f, left="L") == [
        ("x", r"\phi_{0}"), ("y", r"\phi_{1}"), ("L", r"\left(1 - x\right)^{2} + \left|{y}\right|"),
    ]  # fmt: skip


def test_a_line_that_is_no_equation_is_refused():
    def f(x):
        for _ in range(3):
            x = x + 1
        return x

    with pytest.raises(TraceError, match="no equation: for"):
        equations(f)
