"""Saved parameters that are damaged, foreign or hostile: an error in words, in little memory, and no code is run."""

import collections
import io
import os
import zipfile

import numpy as np
import pytest

import ridgesplines as rs

torch = pytest.importorskip("torch")
from ridgesplines.torch.conversion import from_file  # noqa: E402


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.pt"


def state(**changes):
    rng = torch.Generator().manual_seed(0)
    shapes = {"hidden.weight": (3, 2), "hidden.bias": (3,), "output.weight": (1, 3), "output.bias": (1,)}
    own = {name: torch.randn(shape, generator=rng, dtype=torch.float64) for name, shape in shapes.items()}
    changed = own | {name.replace("_", "."): value for name, value in changes.items()}
    return {name: value for name, value in changed.items() if value is not None}


def saved(values, **settings):
    file = io.BytesIO()
    torch.save(values, file, **settings)
    return file.getvalue()


def read(path, data):
    """The network in these bytes, or None where they are refused in words; anything else that is raised fails."""
    path.write_bytes(data)
    try:
        return from_file(path)
    except rs.ProblemError as error:
        return None if "state_dict" in str(error) else pytest.fail(f"not in words: {error}")


def is_same(first, second):
    X = np.random.default_rng(1).standard_normal((5, 2))
    return (first(X) == second(X)).all()


def members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive(parts, **settings):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **settings) as made:
        for name, part in parts.items():
            made.writestr(name, part)
    return file.getvalue()


def test_reading_leaves_random_numbers_alone(path):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    assert read(path, saved(state())) is not None
    assert torch.rand(1) == expected


def fuzz(path, count, seed):
    data, rng = saved(state()), np.random.default_rng(seed)
    good, parts = read(path, data), members(data)
    assert good is not None
    for _ in range(count):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), rng.choice([1, 1, 3])):
            changed[at] ^= rng.choice([1 << rng.integers(8), 255])
        net = read(path, bytes(changed))
        assert net is None or is_same(net, good)
    for _ in range(count):
        name = rng.choice([name for name in parts if name.endswith(("data.pkl", "/0", "/1", "version", "byteorder"))])
        changed = bytearray(parts[name])
        changed[rng.integers(len(changed))] ^= rng.choice([1 << rng.integers(8), 255])
        net = read(path, archive({**parts, name: bytes(changed)}))  # the sums are right: other numbers may be a network
        assert net is None or np.isfinite(net(np.ones((1, 2)))).all()


def test_damaged_files(path):
    fuzz(path, 100, 0)


@pytest.mark.slow
def test_many_damaged_files(path):
    fuzz(path, 2000, 1)
    data = saved(state())
    assert [n for n in range(len(data)) if read(path, data[:n]) is not None] == []


def test_truncated_files(path):
    data = saved(state())
    assert [n for n in range(0, len(data), 23) if read(path, data[:n]) is not None] == []


NAN = float("nan")
WRONG = {
    "complex": state(hidden_bias=torch.zeros(3, dtype=torch.complex64)),
    "integers": state(hidden_bias=torch.zeros(3, dtype=torch.int64)),
    "booleans": state(hidden_bias=torch.zeros(3, dtype=torch.bool)),
    "sparse": state(hidden_weight=torch.eye(3, 2).to_sparse()),
    "of no device": state(hidden_weight=torch.empty((3, 2), device="meta")),
    "a number": state(hidden_bias=1.0),
    "a list": state(hidden_bias=[0.0, 0.0, 0.0]),
    "NaN": state(hidden_bias=torch.tensor([0.0, NAN, 0.0])),
    "infinity": state(output_weight=torch.tensor([[0.0, float("inf"), 0.0]])),
    "beyond squares": state(hidden_weight=torch.full((3, 2), 1e200, dtype=torch.float64)),
    "another bias": state(hidden_bias=torch.zeros(4)),
    "a bias of two": state(output_bias=torch.zeros(2)),
    "a cube": state(hidden_weight=torch.zeros(3, 2, 1)),
    "a vector": state(output_weight=torch.zeros(3)),
    "no inputs": state(hidden_weight=torch.zeros(3, 0)),
    "no outputs": state(output_weight=torch.zeros(0, 3), output_bias=torch.zeros(0)),
    "another skip connection": state(skip_weight=torch.zeros(2, 2)),
    "more": state(more=torch.zeros(1)),
    "one name twice": {**state(), "0.weight": torch.zeros(3, 2)},
    "missing": state(output_weight=None),
    "names that are numbers": {0: torch.zeros(3, 2), 2: torch.zeros(1, 3)},
    "a counter": collections.Counter(a=1),
    "a tensor": torch.zeros(3),
    "a deep list": {"hidden.weight": [[[[[]]]]]},
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_contents(case, path):
    assert read(path, saved(WRONG[case])) is None


def test_what_is_not_a_number_is_said(path):
    path.write_bytes(saved(WRONG["NaN"]))
    with pytest.raises(rs.ProblemError, match=r"hidden\.bias \(3,\) with NaN"):
        from_file(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits the memory of a process, as POSIX systems can")
@pytest.mark.parametrize("case", ["a repeated number", "two shapes", "lists of lists", "a compressed archive"])
def test_memory_is_that_of_the_file(case, path):
    """A small file is read, or refused, in little more memory than it has bytes."""
    nested = []
    for _ in range(60):
        nested = [nested, nested]  # a few bytes each; written out, 2^60 lists
    data = {
        "a repeated number": lambda: saved(state(hidden_weight=torch.zeros(1).expand(2**20, 2**12))),
        "two shapes": lambda: saved(state(hidden_weight=torch.zeros(40_000, 1), output_weight=torch.zeros(40_000, 1))),
        "lists of lists": lambda: saved(state(hidden_weight=nested)),
        "a compressed archive": lambda: archive(
            members(saved(state(hidden_weight=torch.zeros(2**21, 8)))), compression=zipfile.ZIP_DEFLATED
        ),
    }[case]()
    before = peak()
    assert read(path, data) is None
    assert peak() - before < 2**26


def peak():
    import resource

    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_what_a_file_asks_for_is_looked_at_first(path, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("it was loaded"))
    for values in (state(a=bytearray(3)), state(a=torch.device("cpu")), state(a=torch.float32), torch.nn.Linear(1, 1)):
        assert read(path, saved(values)) is None
    assert read(path, saved(state(), _use_new_zipfile_serialization=False)) is None


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_parameters_of_any_precision(dtype, path):
    values = {name: torch.nn.Parameter(value.to(dtype)) for name, value in state().items()}
    values["skip.weight"] = torch.ones((1, 2), dtype=dtype)
    net = read(path, saved(values))
    assert (net.n_features, net.n_outputs, net.slope.tolist()) == (2, None, [1.0, 1.0])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(path):
    os.mkfifo(path)
    with pytest.raises(rs.ProblemError, match="a named pipe"):
        from_file(path)
