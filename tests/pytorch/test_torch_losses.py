"""The losses' one formula, taken by PyTorch: the same values, and autograd finds the gradients that we wrote down."""

import numpy as np
import pytest
from instances import LOSSES, ids, noisy, targets

import ridgesplines as rs

torch = pytest.importorskip("torch")
TRAINABLE = [loss for loss in LOSSES if not loss.interpolates]


@pytest.mark.parametrize("outputs", [None, 3])
@pytest.mark.parametrize("loss", TRAINABLE, ids=ids)
def test_values_and_gradients(loss, outputs):
    if outputs and not loss.vector:
        pytest.skip("scalar only")
    rng = np.random.default_rng(0)
    y = loss.check(targets(loss, noisy(60)[1]))
    if isinstance(loss, rs.Squared) and outputs:
        y = rng.standard_normal((60, outputs))
    D = loss.n_outputs(y)
    z = rng.standard_normal((60,) if D is None else (60, D)) * 30.0
    z[: len(z) // 2] *= 1e-3
    z[:5] = 0.0  # where untrained networks are; ties and absolute values must not mislead autograd there
    fit = torch.tensor(z, requires_grad=True)
    value = loss.value(torch.tensor(y), fit)
    assert value.detach().numpy() == pytest.approx(loss.value(y, z), rel=1e-14, abs=1e-14)
    value.sum().backward()
    assert fit.grad.numpy() == pytest.approx(loss.gradient(y, z), rel=1e-12, abs=1e-14)
