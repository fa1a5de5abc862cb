"""Operators along the offsets: the filter K, the second derivative, the Gaussian; and inversion by K."""

from __future__ import annotations

import numpy as np

from ridgesplines.radon.grid import RadonGrid
from ridgesplines.radon.transform import back_projection
from ridgesplines.validation import Array, real_number


def backprojection_filter(values: Array, grid: RadonGrid) -> Array:
    r"""The filter K of (24), a ramp for d = 2.

    .. math:: \widehat{K g}(\alpha, \omega) = \frac{|\omega|^{d-1}}{2 (2\pi)^{d-1}}\, \widehat g(\alpha, \omega)

    Parameters
    ----------
    values : g, shape (M, T), zero for ``|t| > L``.
    grid : where.

    Returns
    -------
    ndarray
        K g, shape (M, T); to be used for ``|t| <= L``: for d = 2, K g reaches beyond any interval, and what lies beyond
        2 L comes back on the other side.

    Notes
    -----
    For d = 3, K is :math:`-D_t^2 / (8 \pi^2)`, which is local. For d = 2 the ramp has a kink at :math:`\omega = 0`, and
    samples of it would shift all values; so it is applied as the convolution with samples of its band-limited kernel,
    known in closed form, which for ``|t| <= L`` is exact for band-limited g.

    References
    ----------
    .. [1] G. N. Ramachandran, A. V. Lakshminarayanan, Three-dimensional reconstruction from radiographs and electron
       micrographs, Proc. Natl. Acad. Sci. 68 (1971), doi:10.1073/pnas.68.9.2236

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.radon import RadonGrid, backprojection_filter
    >>> grid = RadonGrid(d=2, nodes=65)
    >>> values = np.tile(np.exp(-20.0 * grid.offsets**2), (len(grid.directions), 1))
    >>> middle = backprojection_filter(values, grid)[0, 64]  # (1/4 pi^2) times the integral of omega exp(-omega^2/80)
    >>> bool(abs(middle - np.sqrt(np.pi / 20.0) * 40.0 / (4.0 * np.pi**2)) < 1e-9)
    True
    """
    return _filtered(values, grid, _ramp(grid))


def second_offset_derivative(values: Array, grid: RadonGrid) -> Array:
    r"""The second derivative in t, :math:`D_t^2`, by the FFT.

    .. math:: \widehat{D_t^2 g}(\alpha, \omega) = -\omega^2\, \widehat g(\alpha, \omega)

    Parameters
    ----------
    values : g, shape (M, T), zero near the ends of the offsets. Apply it before K, with which it commutes.
    grid : where.

    Returns
    -------
    ndarray
        Shape (M, T); exact for band-limited g.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.radon import RadonGrid, second_offset_derivative
    >>> grid = RadonGrid(d=2, nodes=65)
    >>> values = np.tile(np.exp(-20.0 * grid.offsets**2), (len(grid.directions), 1))
    >>> bool(np.allclose(second_offset_derivative(values, grid), (1600.0 * grid.offsets**2 - 40.0) * values))
    True
    """
    return _filtered(values, grid, -(grid.frequencies**2))


def gaussian_filter(values: Array, grid: RadonGrid, eps: float) -> Array:
    r"""The convolution in t with the Gaussian of variance eps, :math:`g_\varepsilon` of (16).

    .. math:: \widehat{g * g_\varepsilon}(\alpha, \omega) = e^{-\varepsilon \omega^2 / 2}\, \widehat g(\alpha, \omega)

    Parameters
    ----------
    values : g, shape (M, T).
    grid : where.
    eps : the variance, nonnegative.

    Returns
    -------
    ndarray
        Shape (M, T).

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.radon import RadonGrid, gaussian_filter
    >>> grid = RadonGrid(d=2, nodes=5)
    >>> values = np.zeros((len(grid.directions), len(grid.offsets)))
    >>> values[:, 4] = 1.0
    >>> bool(np.allclose(gaussian_filter(values, grid, 0.25).sum(axis=1), 1.0))
    True
    """
    eps = real_number("eps", eps, "a nonnegative variance", 0.0)
    return _filtered(values, grid, np.exp(-0.5 * eps * grid.frequencies**2))


def filtered_back_projection(values: Array, grid: RadonGrid) -> Array:
    r"""The inverse of the Radon transform: back-projection of what K has filtered.

    .. math:: f = R^* K R f

    Parameters
    ----------
    values : :math:`R f`, shape (M, T), of a function that is zero outside of the ball of radius L.
    grid : where.

    Returns
    -------
    ndarray
        f, an image; to be used inside the ball of radius L.

    Notes
    -----
    The error falls faster than any power of the spacing for smooth f of compact support. For
    :math:`f = (1 - |x|^2 / r^2)_+^k` it is of order k + 1/2 in the mean square, and of order k where it is largest.
    O(M n^{d+1}) operations.

    References
    ----------
    .. [1] F. Natterer, The Mathematics of Computerized Tomography, SIAM (2001), Theorem II.2.1,
       doi:10.1137/1.9780898719284

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.radon import RadonGrid, filtered_back_projection, radon_transform
    >>> grid = RadonGrid(d=2, nodes=33)
    >>> image = np.exp(-20.0 * (grid.points**2).sum(axis=1)).reshape(33, 33)
    >>> again = filtered_back_projection(radon_transform(image, grid), grid)
    >>> bool(np.abs(again - image)[8:25, 8:25].max() < 1e-8)
    True
    """
    return back_projection(backprojection_filter(values, grid), grid)


def _filtered(values: Array, grid: RadonGrid, response: Array) -> Array:
    """The filter of this response at the grid's frequencies, along the offsets."""
    g = grid.on_radon_domain(values)
    return np.fft.irfft(np.fft.rfft(g, axis=1) * response, g.shape[1], axis=1)


def _ramp(grid: RadonGrid) -> Array:
    """The response of K at the grid's frequencies."""
    if grid.d == 3:
        return grid.frequencies**2 / (2.0 * (2.0 * np.pi) ** 2)
    # h^2 times the kernel at k h, the integral of |omega| cos(omega k h) / (8 pi^2) over |omega| < pi / h.
    steps = np.arange(len(grid.offsets)) + 1 - grid.nodes
    odd = steps % 2 == 1
    kernel = np.where(steps == 0, 0.125, 0.0)
    kernel[odd] = -1.0 / (2.0 * (np.pi * steps[odd]) ** 2)
    return np.fft.rfft(np.fft.ifftshift(kernel)).real / grid.spacing
