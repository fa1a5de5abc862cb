"""Numbers as people read them: as few digits as tell them apart, and enough for the span that they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Digits that are shown at least, of the largest number and of the span; and all that a float64 has.
LEAST, MOST = 6, 17


def written(values: Sequence[float] | NDArray[Any], within: Sequence[float] | NDArray[Any] = ()) -> list[str]:
    """Each number in words of one length of digits: six of the largest, six of the span, more where two would be equal.

    Parameters
    ----------
    values : the numbers, shape (K,).
    within : others that they lie among, such as the data, which have a part in the span; they are not written.

    Returns
    -------
    list of str
        Trailing zeros are left out.

    Examples
    --------
    >>> written([0.25, 1 / 3])
    ['0.25', '0.333333']
    >>> written([2451234.5, 2451239.25], within=[2450000.0, 2460000.0])
    ['2451234.5', '2451239.2']
    >>> written([1.0, 1.0 + 1e-9])
    ['1', '1.000000001']
    """
    numbers = np.asarray(values, dtype=float).ravel()
    among = np.concatenate([numbers, np.asarray(within, dtype=float).ravel()])
    size, span = np.abs(among).max(initial=0.0), np.ptp(among) if len(among) else 0.0
    more = np.floor(np.log10(size) - np.log10(span)) if size and span else 0.0
    different = len(np.unique(numbers))
    for digits in range(int(np.clip(LEAST + more, LEAST, MOST)), MOST + 1):
        texts = [f"{number + 0.0:.{digits}g}" for number in numbers.tolist()]
        if len(set(texts)) == different:
            break
    return texts
