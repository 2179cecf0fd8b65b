"""Text for numbers: short, with U+2212 as minus sign, and never misleading through rounding."""

import math
import re
from collections.abc import Sequence

MINUS = "\u2212"


def value_text(value: float) -> str:
    """
    Return `value` with four significant digits, so that the width varies little.

    >>> [value_text(value) for value in (7.7044, 0.067822, 266.747, 1.5e12, math.inf)]
    ['7.704', '0.0678', '266.7', '1.5e12', '∞']
    """
    if not math.isfinite(value):
        return "∞"
    size = abs(value)
    if size >= 9999.5:
        return _minus(f"{value:.1e}".replace("e+0", "e").replace("e+", "e"))
    if size and size < 0.00005:
        return _minus(f"{value:.0e}".replace("e-0", "e-"))
    decimals = 4 if size < 0.99995 else 3 - int(math.log10(size * 1.00005))
    return _minus(f"{value:.{decimals}f}")


def coordinate_text(value: float) -> str:
    """
    Return a weight or coordinate, with two decimals below 100.

    >>> [coordinate_text(value) for value in (2.98784, -13.81, 123.4, -2e30)]
    ['2.99', '−13.81', '123', '−2e30']
    """
    if not math.isfinite(value):
        return "∞"
    size = abs(value)
    if size >= 9999.5:
        return _minus(f"{value:.0e}".replace("e+0", "e").replace("e+", "e"))
    return _minus(f"{value:.{2 if size < 99.995 else 0}f}")


def line_equation(slope: float, bias: float) -> str:
    """
    Return the equation of the line with these weights.

    >>> line_equation(2.95, -0.5)
    'y = 2.95 x − 0.50'
    """
    if not (math.isfinite(slope) and math.isfinite(bias)):
        return "no finite line"
    sign = MINUS if coordinate_text(bias).startswith(MINUS) else "+"
    return f"y = {coordinate_text(slope)} x {sign} {coordinate_text(abs(bias))}"


def rate_texts(rates: Sequence[float]) -> list[str]:
    """
    Return learning rates with at most six digits, or with all digits if two would look equal.

    >>> rate_texts([0.1, 1.01, 1 / 3, 1e30, 1e-5])
    ['0.1', '1.01', '0.333333', '1e30', '1e-5']
    """
    short = [f"{rate:.6g}" for rate in rates]
    texts = short if len(set(short)) == len(rates) else [repr(rate) for rate in rates]
    return [re.sub(r"e\+?(-?)0*", r"e\1", text) for text in texts]


def limit_text(limit: float, lr: float) -> str:
    """
    Return a stability limit with four significant digits, or more if `lr` needs them.

    Rounding must not move the limit to the other side of `lr`.

    >>> limit_text(0.99851421, 1.01)
    '0.9985'
    >>> limit_text(0.99851421, 0.99851)
    '0.998514'
    """
    for digits in range(4, 17):
        text = f"{limit:#.{digits}g}"
        printed = float(text)
        if lr == limit or (lr > limit and lr > printed) or (lr < limit and lr < printed):
            return text
    return repr(limit)


def best_rate_text(best: float, limit: float) -> str:
    """
    Return the fastest rate with two significant digits, or with three close to the limit.

    Rounded to two, it could be much slower there.

    >>> best_rate_text(0.76017, 0.99851), best_rate_text(0.030689, 0.031657)
    ('0.76', '0.0307')
    """
    return f"{best:.{3 if best > 0.9 * limit else 2}g}"


def share_text(share: float) -> str:
    """
    Return a share as a percentage; one below 1 is never rounded up to 100 %.

    >>> share_text(0.1234), share_text(0.0123), share_text(0.9999)
    ('12 %', '1.2 %', '99.9 %')
    """
    percent = 100 * share
    if percent < 10 or 99 < percent < 100:
        return f"{math.floor(percent * 10) / 10 if percent > 99 else percent:.1f} %"
    return f"{percent:.0f} %"


def number_text(value: float) -> str:
    """
    Return a number of steps or epochs, with two decimals unless it is whole.

    >>> number_text(8), number_text(3.25), number_text(3.0)
    ('8', '3.25', '3')
    """
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def moment_text(value: float, unit: str) -> str:
    """
    Return a moment with its unit before it.

    >>> moment_text(8, "epoch"), moment_text(3.25, "epoch")
    ('epoch 8', 'epoch 3.25')
    """
    return f"{unit} {number_text(value)}"


def count_text(value: float, unit: str) -> str:
    """
    Return a number of epochs or steps with its unit, in the plural unless it is 1.

    >>> count_text(1, "epoch"), count_text(20, "step"), count_text(1.5, "epoch")
    ('1 epoch', '20 steps', '1.50 epochs')
    """
    return f"{number_text(value)} {unit}{'' if value == 1 else 's'}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS) if float(text.replace(MINUS, "-")) else text.replace("-", "")
