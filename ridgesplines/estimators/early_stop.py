"""When the path of a fold may end before the smallest lam, and when it must be taken up again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ridgesplines.validation import Array

#: A path ends when lam has fallen below this part of the lam that was best, ...
FALL = 0.25
#: ... and so many lams in a row were each worse than the best, ...
IN_A_ROW = 3
#: ... by more than this part of the spread of the scores so far: it has the units of any score, and no zero.
MARGIN = 0.02
#: The best mean is followed by so many lams that all folds have.
BEYOND = 2


def passed(lams: Array, losses: Sequence[float]) -> bool:
    """Whether the least loss has clearly been passed, by lams that fall.

    Examples
    --------
    >>> lams = 0.5 ** np.arange(6)
    >>> [passed(lams, losses) for losses in ([9.0, 3.0, 4.0, 4.0, 5.0], [9.0, 3.0, 4.0, 3.1, 3.1], [9.0, 3.0, 4.0])]
    [True, False, False]
    """
    best, last = int(np.argmin(losses)), np.array(losses[-IN_A_ROW:])
    clear = losses[best] + MARGIN * np.ptp(losses)
    far = len(losses) > IN_A_ROW and lams[len(losses) - 1] < FALL * lams[best]
    return bool(far and (last > clear).all())


def needed(losses: Sequence[Sequence[float]], share: Array, n_lams: int) -> int:
    """How many lams each fold must have: two past the least of the mean.

    A fold that has ended is taken to stay as bad as it was when it did. So a lam that it has not reached is in the
    running as well, where the others gain there more than this one has lost.

    Parameters
    ----------
    losses : of each fold, at as many lams as it has reached.
    share : the weight of each fold in the mean.
    n_lams : how many there are.

    Examples
    --------
    >>> half = np.array([0.5, 0.5])
    >>> needed([[9.0, 3.0, 4.0, 5.0], [9.0, 4.0, 5.0, 6.0]], half, 10)
    4
    >>> needed([[9.0, 3.0, 4.0, 5.0], [9.0, 8.0, 7.0, 6.0, 1.0, 2.0, 3.0]], half, 10)
    7
    """
    longest = max(map(len, losses))
    filled = [[*fold, *[fold[-1]] * (longest - len(fold))] for fold in losses]
    return min(int(np.argmin(share @ np.array(filled))) + 1 + BEYOND, n_lams)
