"""The two words that go with every figure: what was proven of it, and how the work ended."""

from __future__ import annotations

from enum import StrEnum


class _Word(StrEnum):
    """A string among few, shown as a string."""

    def __repr__(self) -> str:
        return repr(self.value)


class Scope(_Word):
    r"""Over which neurons a supremum of :math:`|\eta|` was taken, and so what its gap means.

    Examples
    --------
    >>> from ridgesplines.verdict import Scope
    >>> [scope for scope in Scope if scope.proven]
    ['exact', 'bounded']
    """

    #: Over all directions and biases, computed exactly (in floating point).
    EXACT = "exact"
    #: An upper bound over all of them, proven.
    BOUNDED = "bounded"
    #: Over the neurons of a grid.
    DICTIONARY = "dictionary"
    #: The largest that a search over all of them found.
    SEARCHED = "searched"

    @property
    def proven(self) -> bool:
        """Whether no function at all has an objective lower by more than the gap."""
        return self in (Scope.EXACT, Scope.BOUNDED)

    def words(self, allowed: str = "") -> str:
        """The meaning of a gap of this scope; `allowed` says of which functions, such as "of these groups"."""
        return _WORDS[self].format(f"no function {allowed}".strip())


_WORDS = {
    Scope.EXACT: "certified: {} has an objective lower by more than this",
    Scope.BOUNDED: "certified, from an upper bound on sup|eta|: {} has an objective lower by more than this",
    Scope.DICTIONARY: "among the neurons of the grid only",
    Scope.SEARCHED: "an estimate, not a bound: sup|eta| was searched",
}


class Status(_Word):
    """The end of the work on a solution."""

    #: The gap is within the tolerance of the solver.
    CONVERGED = "converged"
    #: It is not, or a certificate contradicts it.
    NOT_CONVERGED = "not converged"
    #: Ctrl-C came first; the best so far.
    INTERRUPTED = "interrupted"
    #: A trained network: its gap is the result, not a promise.
    TRAINED = "trained"
    #: Layers of a deep network, each replaced by the solution of its own problem.
    REFINED = "refined"
    #: The same with all layers in turn, again and again.
    SWEPT = "swept"
    #: A network that was only measured.
    EVALUATED = "evaluated"
    #: The neurons of a solution, amplitudes and affine part by the loss alone.
    REFITTED = "refitted"
    #: The same, its knots moved down to a local minimum of the loss.
    KNOTS_MOVED = "refitted, knots moved"

    @property
    def unpenalised(self) -> bool:
        """Whether the loss alone was minimised, so that the network is no minimiser of the penalised problem."""
        return self in (Status.REFITTED, Status.KNOTS_MOVED)
