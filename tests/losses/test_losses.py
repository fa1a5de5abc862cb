"""Every loss of the registry keeps its promises: derivatives, conjugate, CVXPY expression, scaling."""

import warnings

import cvxpy as cp
import numpy as np
import pytest
from instances import ids, noisy, targets

import ridgesplines as rs
from ridgesplines.losses import LOSSES

ALL = [loss() for loss in LOSSES] + [rs.Huber(0.3), rs.Quantile(0.9)]


def sample(loss, n=50, seed=0):
    """Targets and fits, away from the kinks."""
    _, y = noisy(n, seed=seed)
    y = loss.check(targets(loss, y))
    D = loss.n_outputs(y)
    z = np.random.default_rng(seed).standard_normal((n, D) if D else n) * 1.7 + 0.01
    return y, z


def test_the_registry_is_complete():
    def concrete(kind):
        return {kind} if not kind.__subclasses__() else set().union(*map(concrete, kind.__subclasses__()))

    # Steps of a solver may be losses of their own: they are not for problems.
    public = {loss for loss in concrete(rs.losses.Loss) if loss.__module__.startswith("ridgesplines.losses.")}
    assert set(LOSSES) == public


@pytest.mark.parametrize("loss", [x for x in ALL if not x.interpolates], ids=ids)
def test_gradient_is_the_derivative(loss):
    y, z = sample(loss)
    h = 1e-6
    for direction in np.eye(z.shape[1]) if z.ndim == 2 else [1.0]:
        slope = (loss.value(y, z + h * direction) - loss.value(y, z - h * direction)) / (2 * h)
        gradient = loss.gradient(y, z)
        assert (gradient @ direction if z.ndim == 2 else gradient) == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("loss", [x for x in ALL if x.smooth], ids=ids)
def test_curvature_is_the_second_derivative(loss):
    y, z = sample(loss)
    h = 1e-5
    for i, direction in enumerate(np.eye(z.shape[1]) if z.ndim == 2 else [1.0]):
        second = (loss.gradient(y, z + h * direction) - loss.gradient(y, z - h * direction)) / (2 * h)
        curvature = loss.curvature(y, z)
        assert (curvature[:, i] if z.ndim == 2 else curvature) == pytest.approx(second, abs=1e-5)


@pytest.mark.parametrize("loss", [x for x in ALL if x.smooth], ids=repr)
def test_majorant_lies_above(loss):
    y, z = sample(loss)
    rng = np.random.default_rng(0)
    for _ in range(25):
        h = 3.0 * rng.standard_normal(z.shape)
        if isinstance(loss, rs.Poisson):  # of unbounded curvature: only up to the minimiser
            least = np.log(np.maximum(y, 1e-300))
            h = np.minimum(h, np.maximum(least - z, 0.0))
        if z.ndim == 1:
            rise = loss.gradient(y, z) * h + 0.5 * loss.majorant(y, z) * h**2
        else:
            rise = (loss.gradient(y, z) * h).sum(axis=1)
            rise = rise + 0.5 * np.einsum("ni,nij,nj->n", h, loss.majorant(y, z), h)
        assert (loss.value(y, z + h) <= loss.value(y, z) + rise + 1e-12).all()


@pytest.mark.parametrize("loss", ALL, ids=ids)
def test_fenchel_and_young(loss):
    y, z = sample(loss)
    other = sample(loss, seed=3)[1]
    z = np.where(loss.interpolates, y, z) if z.ndim == 1 else z
    v = loss.gradient(y, z)
    pairing = v * z if z.ndim == 1 else (v * z).sum(axis=1)
    assert loss.value(y, z) + loss.conjugate(y, v) == pytest.approx(pairing, abs=1e-10)  # equality at the gradient
    v = loss.nearest(y, loss.gradient(y, other))
    assert (loss.value(y, z) + loss.conjugate(y, v) >= (v * z if z.ndim == 1 else (v * z).sum(axis=1)) - 1e-10).all()


@pytest.mark.parametrize("loss", [x for x in ALL if not x.interpolates and not x.vector], ids=ids)
def test_conjugate_against_brute_force(loss):
    y, _ = sample(loss, 6)
    grid = np.linspace(-60.0, 60.0, 240_001)
    for target in y:
        for v in loss.nearest(np.full(5, target), np.array([-0.7, -0.2, 0.0, 0.2, 0.7])):
            brute = (v * grid - loss.value(np.full(grid.shape, target), grid)).max()
            exact = loss.conjugate(np.array([target]), np.array([v]))[0]
            assert exact == pytest.approx(brute, abs=1e-3)


@pytest.mark.parametrize("loss", ALL, ids=ids)
def test_conjugate_is_infinite_off_its_domain(loss):
    y, z = sample(loss)
    far = np.full_like(z, -50.0 if isinstance(loss, rs.Poisson) else 50.0)
    if isinstance(loss, (rs.Squared, rs.Interpolation)):
        assert np.isfinite(loss.conjugate(y, far)).all()
    else:
        assert np.isinf(loss.conjugate(y, far)).all()
        assert np.isfinite(loss.conjugate(y, loss.nearest(y, far * np.random.default_rng(0).random(z.shape)))).all()


@pytest.mark.parametrize("loss", ALL, ids=ids)
def test_room_vanishes_only_on_the_boundary(loss):
    y, z = sample(loss)
    room = loss.room(y, loss.gradient(y, z))
    assert np.isfinite(room).all()
    assert (np.linalg.eigvalsh(room) >= -1e-12).all() if z.ndim == 2 else (room >= 0.0).all()


@pytest.mark.parametrize("loss", ALL, ids=ids)
def test_cvxpy_expression_has_the_same_value(loss):
    y, z = sample(loss)
    z = y if loss.interpolates else z
    weight = np.random.default_rng(0).uniform(0.1, 2.0, len(y))
    fit = cp.Variable(z.shape)
    fit.value = z
    total, constraints = loss.expression(y, fit, weight)
    value = total.value if hasattr(total, "value") else total
    assert value == pytest.approx(weight @ loss.value(y, z), rel=1e-9)
    assert all(constraint.value() for constraint in constraints)
    assert hasattr(total, "is_convex") is (not loss.interpolates)
    assert loss.interpolates or total.is_convex()


@pytest.mark.parametrize("loss", [x for x in ALL if x.translates], ids=ids)
def test_rescaling_and_translation(loss):
    y, z = sample(loss)
    z = y if loss.interpolates else z
    scaled, factor = loss.rescaled(7.0)
    assert loss.value(7.0 * y, 7.0 * z) == pytest.approx(factor * scaled.value(y, z))
    assert loss.value(y + 3.0, z + 3.0) == pytest.approx(loss.value(y, z))


@pytest.mark.parametrize("loss", [x for x in ALL if not x.translates], ids=ids)
def test_labels_do_not_scale(loss):
    assert loss.rescaled(1.0) == (loss, 1.0)
    with pytest.raises(NotImplementedError):
        loss.rescaled(2.0)


@pytest.mark.parametrize("loss", [x for x in ALL if x.pieces(np.ones(1)) is not None], ids=ids)
def test_pieces_make_up_the_loss(loss):
    y, z = sample(loss)
    values = [slope * z + intercept for slope, intercept in loss.pieces(y)]
    assert np.max(values, axis=0) == pytest.approx(loss.value(y, z))


@pytest.mark.parametrize(("make", "name"), [(rs.Huber, "delta"), (rs.Quantile, "q")])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf, "x", None])
def test_bad_parameters(make, name, value):
    with pytest.raises(rs.ProblemError, match=f"^{name}: expected"):
        make(value)


@pytest.mark.parametrize("loss", [rs.Logistic(), rs.Softmax()], ids=lambda loss: loss.name)
def test_conjugates_of_nearly_certain_classes(loss):
    """(1 - p) log(1 - p) for p far below the rounding of one, which large weights show; from its series."""
    p = 10.0 ** -np.arange(5.0, 25.0)
    if isinstance(loss, rs.Softmax):
        value = loss.conjugate(np.zeros(20), np.column_stack([-p, p]))
    else:
        value = loss.conjugate(np.ones(20), -p)
    assert value == pytest.approx(p * np.log(p) - p + p**2 / 2.0, rel=1e-13)


def test_no_contradiction_where_weights_span_22_decades():
    rng = np.random.default_rng(319)
    for _ in range(30):
        x, weight = rng.standard_cauchy(9), 10.0 ** rng.uniform(-12.0, 12.0, 9)
        y = rng.permutation([1.0] * 4 + [-1.0] * 5)
        try:
            top = rs.lambda_max(p := rs.Problem(x, y, 1.0, rs.Logistic(), sample_weight=weight))
        except rs.ProblemError:
            continue  # separable
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rs.ConvergenceWarning)
            assert rs.solve(p.with_lam(0.1 * top)).contradiction is None
