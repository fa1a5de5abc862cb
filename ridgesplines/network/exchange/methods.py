"""The methods by which a network comes from other formats, and goes to them; their work is done beside this file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

from ridgesplines.network import archive

if TYPE_CHECKING:
    import onnx
    import torch

    from ridgesplines.network.spline import RidgeSpline


class Exchange:
    """What a RidgeSpline can be made of and be written as."""

    @classmethod
    def from_layers(
        cls, W: Any, b: Any, V: Any, c: Any = 0.0, skip: Any = None, feature_names: tuple[str, ...] | None = None
    ) -> RidgeSpline:
        r"""The network of layers of a framework, which write biases with a plus, :math:`V \rho(W x + b) + S x + c`.

        Parameters
        ----------
        W, b, V, c, skip : arrays as PyTorch keeps them, W (K, d), b (K,), V (D, K), c (D,), S (D, d); or as Keras does,
            W (d, K), V (K, D), S (d, D). One output makes a scalar network. For d = 1 and D = 1 vectors will do.
        feature_names : of the d inputs.

        Raises
        ------
        ProblemError
            Where shapes do not fit, or fit both ways, as those of square matrices do.

        Examples
        --------
        >>> import ridgesplines as rs
        >>> rs.RidgeSpline.from_layers(W=[[3.0, 4.0]], b=[-5.0], V=[[2.0]], c=[1.0])([[2.0, 1.0]])
        array([11.])
        """
        from ridgesplines.network.exchange.layers import from_layers

        return from_layers(W, b, V, c, skip, feature_names)

    def to_torch(self: Any, plain: bool = False) -> torch.nn.Module:
        r"""The network as an ``nn.Module`` in double precision, at balance. Needs PyTorch.

        A RidgeLayer, with a skip connection where the slope is not zero; at balance where its activation is homogeneous
        of degree one. Terms of degree two and more are refused. For ReLU, with ``plain=True`` an
        ``nn.Sequential(Linear, ReLU, Linear)``, as solvers over trained networks read it: the skip connection is two
        neurons for each feature, :math:`x_j = \rho(x_j) - \rho(-x_j)`. Its values have shape (N, 1) for a scalar
        network. The function is the same; the seminorm of its weights is larger, by :math:`2 \sum_j |c_j|`.
        """
        from ridgesplines.torch.conversion import to_plain, to_torch

        return to_plain(self) if plain else to_torch(self)

    @classmethod
    def from_torch(cls, module: Any) -> RidgeSpline:
        """The network that an ``nn.Module`` of the form (7), (18), (19) or (33) is. Needs PyTorch.

        ``nn.Sequential(nn.Linear(d, K), nn.ReLU(), nn.Linear(K, D))``, what `to_torch` returns, or a module of your own
        with such layers and possibly an ``nn.Linear(d, D)`` as skip connection, and a ``BatchNorm1d`` or a further
        ``nn.Linear`` in front of its inputs: the network read from its weights is held against its outputs at random
        points, and a module that is of no such form is refused with a ProblemError. D = 1 gives a scalar network.
        """
        from ridgesplines.torch.conversion import from_torch

        return from_torch(module)

    @classmethod
    def from_sklearn(cls, mlp: Any) -> RidgeSpline:
        """The network of a fitted MLPRegressor or MLPClassifier with one hidden layer of ReLU, or of a pipeline.

        Scalers in front of it in the pipeline become part of the weights.

        Of a classifier the logits, as Logistic takes them for two classes, the second positive, and Softmax for more.
        The lambda that its alpha means is :func:`ridgesplines.network.lam_of_alpha`.
        """
        from ridgesplines.network.exchange.scikit_learn import from_sklearn

        return from_sklearn(mlp)

    def to_onnx(self: Any, plain: bool = False, dtype: str = "float64") -> onnx.ModelProto:
        """The network as an ONNX model, x (N, d) to f (N, D), D = 1 for a scalar network. Needs the extra ``[onnx]``.

        Parameters
        ----------
        plain : one Gemm, Relu and Gemm alone, the skip connection folded into neurons as in `to_torch`: what optimisers
            over trained networks read.
        dtype : of input, weights and output: ``"float64"`` or ``"float32"``.
        """
        from ridgesplines.network.exchange.onnx import to_onnx

        return to_onnx(self, plain, dtype)

    def to_text(self: Any, language: str) -> str:
        """The network as a formula, every number with all its digits: for few neurons, one output, ReLU.

        Parameters
        ----------
        language : ``"sql"``, an expression of standard SQL over columns of the features' names, which are quoted, NULL
            where one of them is that f depends on; ``"c"``, a function ``double f(const double x[d])``; or
            ``"python"``, a function ``f(x)``. In C and Python x is in the order of the features.

        Raises
        ------
        ProblemError
            For several outputs, dates, and in SQL names that hold control characters, or are not distinct.

        Notes
        -----
        MySQL takes quotes for texts unless ``sql_mode`` has ANSI_QUOTES; SQLite does so where there is no such column.

        Examples
        --------
        >>> import ridgesplines as rs
        >>> print(rs.RidgeSpline([[1.0]], [0.5], [2.0], [-0.25], feature_names=("age",)).to_text("python"))
        # x[0]: 'age'
        def f(x):
            return (
                0.0 - 0.25 * x[0]
                + 2.0 * max(-0.5 + 1.0 * x[0], 0.0)
            )
        """
        from ridgesplines.network.exchange.text import to_text

        return to_text(self, language)

    def save(self: Any, path: str | os.PathLike[str]) -> None:
        """Write the network to `path` as an ``.npz`` archive of plain arrays, without pickle."""
        archive.write(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a network that `save` wrote."""
        return archive.read(path, cls)
