"""Tables: heads, formats, the same text on every machine."""

import numpy as np
import pytest

from fitlib.tables import plus_minus, table

RESULT = table(
    {"rule": ["SGD", "Adam"], "loss × 1000": np.array([0.12345678, -2.0]), "seeds": [20, 5], "a < b": [True, False]},
    {"loss × 1000": ".2f"},
    caption="Losses & seeds",
)


def test_as_text():
    lines = ["Losses & seeds", "rule  loss × 1000  seeds  a < b", "SGD          0.12     20   True"]
    assert repr(RESULT).splitlines() == [*lines, "Adam        −2.00      5  False"]


def test_as_html():
    text = RESULT._repr_html_()
    assert '<caption>Losses &amp; seeds</caption>' in text and '<th scope="col">a &lt; b</th>' in text
    assert '<tr><th scope="row">SGD</th><td>0.12</td><td>20</td><td>True</td></tr>' in text


def test_without_a_format_three_digits_are_shown():
    assert "0.000123" in repr(table({"x": [0.000123456]})) and "1.23e+06" in repr(table({"x": [1.234e6]}))


def test_a_format_may_be_a_function():
    assert repr(table({"x": ["a"], "y": [3]}, {"y": "{:03}".format})).splitlines()[1].split() == ["a", "003"]


@pytest.mark.parametrize(
    "columns, formats, text",
    [
        ({}, {}, "a head that is not empty"),
        ({" ": [1]}, {}, "a head that is not empty"),
        ({"x": [1], "y": [1, 2]}, {}, "the same length; got {'x': 1, 'y': 2}"),
        ({"x": [1]}, {"y": ".2f"}, "no column: y"),
    ],
)
def test_wrong_arguments_are_refused(columns, formats, text):
    with pytest.raises(ValueError, match=text):
        table(columns, formats)


def test_plus_minus_shows_two_digits_of_the_error():
    assert plus_minus(0.1204, 0.0163) == "0.120 ± 0.016"
    assert plus_minus(-0.01, 0.00996, signed=True) == "−0.010 ± 0.010"
    assert plus_minus(0.004, 0.0019, signed=True) == "+0.0040 ± 0.0019"
    assert plus_minus(123.4, 31.2) == "123 ± 31"
    assert plus_minus(np.nan, 1.0) == "nan ± 1"
