"""Files of networks: what is damaged, foreign or hostile is an error in words, in little memory, and never runs."""

import io
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.numerics.polynomials import Polynomial


def networks():
    rng = np.random.default_rng(0)
    square = Polynomial(np.array([[2, 0], [1, 1]]), np.array([0.5, -1.0]), np.zeros(2), 2.0)
    W, b, v = rng.standard_normal((3, 2)), rng.standard_normal(3), rng.standard_normal(3)
    unit = W / np.linalg.norm(W, axis=1, keepdims=True)
    return {
        "relu": rs.RidgeSpline(W, b, v, [1.0, 2.0], 3.0, ("age", "größe")),
        "outputs": rs.RidgeSpline(W, b, np.column_stack([v, -v])),
        "sigmoid": rs.RidgeSpline(unit, b, v, activation=rs.Sigmoid(0.5)),
        "power": rs.RidgeSpline(W, b, v, activation=rs.TruncatedPower(2), polynomial=square),
        "no neurons": rs.RidgeSpline(np.empty((0, 2)), [], []),
    }


NETWORKS = networks()
X = np.random.default_rng(1).standard_normal((5, 2))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.npz"


def content(name, path):
    NETWORKS[name].save(path)
    return path.read_bytes()


def is_same(first, second):
    return (
        (first(X) == second(X)).all()
        and first.names == second.names
        and first.activation == second.activation
        and (first.weights == second.weights).all()
    )


def read(path, damaged):
    """The network in these bytes, or None where they are refused in words; anything else that is raised fails."""
    path.write_bytes(damaged)
    try:
        return rs.RidgeSpline.load(path)
    except rs.ProblemError as error:
        return None if "RidgeSpline.save" in str(error) else pytest.fail(f"not in words: {error}")


def members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}


def archive(parts, **settings):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **settings) as made:
        for name, part in parts.items():
            made.writestr(f"{name}.npy", part)
    return file.getvalue()


def npy(values, **settings):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(values), **settings)
    return file.getvalue()


@pytest.mark.parametrize("name", NETWORKS)
def test_what_was_saved_is_read(name, path):
    again = read(path, content(name, path))
    assert is_same(again, NETWORKS[name])
    assert is_same(read(path, archive(members(content(name, path)))), NETWORKS[name])  # as others pack it


@pytest.mark.parametrize("name", NETWORKS)
def test_truncated_files(name, path):
    """At many lengths, and at all where the directory is: it is what readers look for."""
    data = content(name, path)
    lengths = (*range(0, len(data) - 100, 31), *range(len(data) - 100, len(data)))
    assert [n for n in lengths if read(path, data[:n]) is not None] == []


def flipped(data, rng, count):
    """The data with one bit of one byte, or a whole byte, changed; then with several."""
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(rng.choice([1, 1, 1, 3])):
            changed[rng.integers(len(data))] ^= rng.choice([1 << rng.integers(8), 255])
        yield bytes(changed)


def spliced(data, rng, count):
    """Pieces cut out, repeated, or replaced by noise."""
    for _ in range(count):
        start, end = np.sort(rng.integers(0, len(data), 2))
        piece = [b"", data[start:end] * 2, rng.bytes(int(end - start)), bytes(int(end - start))][rng.integers(4)]
        yield data[:start] + piece + data[end:]


def mutated_members(data, rng, count):
    """Archives whose sums are right, of members that are not: what no checksum tells."""
    parts = members(data)
    for _ in range(count):
        name = rng.choice(list(parts))
        (changed,) = (flipped if rng.random() < 0.7 else spliced)(parts[name], rng, 1)
        yield archive({**parts, name: changed})


def fuzz(path, name, count, seed):
    data, rng = content(name, path), np.random.default_rng(seed)
    for damaged in (*flipped(data, rng, count), *spliced(data, rng, count)):
        net = read(path, damaged)
        assert net is None or is_same(net, NETWORKS[name])  # such as a changed time stamp
    for damaged in mutated_members(data, rng, count):
        net = read(path, damaged)  # other numbers may be a network too
        assert net is None or np.isfinite(net.biases).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_damaged_files(name, path):
    fuzz(path, name, 40, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_many_damaged_files(name, path):
    fuzz(path, name, 1500, 1)
    data = content(name, path)
    for i in range(len(data)):
        net = read(path, data[:i] + bytes([data[i] ^ 255]) + data[i + 1 :])
        assert net is None or is_same(net, NETWORKS[name])
        assert read(path, data[:i]) is None


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("code in the file was run",))


NAN, INF = float("nan"), float("inf")
WRONG = {
    "complex": ("weights", np.eye(3, 2) + 0j),
    "integers": ("weights", np.eye(3, 2, dtype=int)),
    "half precision": ("biases", np.zeros(3, np.float16)),
    "booleans": ("biases", np.zeros(3, bool)),
    "texts": ("biases", np.array(["1", "2", "3"])),
    "times": ("biases", np.zeros(3, "M8[s]")),
    "fields": ("biases", np.zeros(3, [("a", "f8")])),
    "NaN": ("biases", [0.0, NAN, 0.0]),
    "infinity": ("amplitudes", [0.0, 0.0, INF]),
    "an offset of NaN": ("offset", NAN),
    "too few biases": ("biases", np.zeros(2)),
    "a cube": ("weights", np.zeros((3, 2, 1))),
    "long weights": ("weights", np.full((3, 2), 1e308)),
    "no weights": ("weights", np.zeros((3, 2))),
    "another slope": ("slope", np.zeros(3)),
    "an offset of two": ("offset", np.zeros(2)),
    "too many names": ("feature_names", np.array(["a", "b", "c"])),
    "names that are numbers": ("feature_names", np.zeros(2)),
    "another format": ("format", np.array("ridgesplines-2")),
    "formats": ("format", np.array(["ridgesplines-1"])),
    "an unknown activation": ("activation", np.array("Pickle")),
    "an order that is no whole number": ("activation_settings", [2.5]),
    "an order of NaN": ("activation_settings", [NAN]),
    "an order of infinity": ("activation_settings", [INF]),
    "an order of a billion": ("activation_settings", [1e9]),
    "no order": ("activation_settings", np.empty(0)),
    "two orders": ("activation_settings", [2.0, 2.0]),
    "negative exponents": ("polynomial_exponents", [[3, -1], [1, 1]]),
    "exponents of another degree": ("polynomial_exponents", [[3, 0], [1, 1]]),
    "exponents that add up to more than a machine holds": ("polynomial_exponents", [[2**62, 2**62], [1, 1]]),
    "exponents of three inputs": ("polynomial_exponents", [[2, 0, 0], [1, 1, 0]]),
    "exponents that are fractions": ("polynomial_exponents", [[1.5, 0.5], [1.0, 1.0]]),
    "coefficients of NaN": ("polynomial_coefficients", [NAN, 1.0]),
    "a coefficient too many": ("polynomial_coefficients", [1.0, 1.0, 1.0]),
    "a centre elsewhere": ("polynomial_centre", [INF, 0.0]),
    "a centre of three inputs": ("polynomial_centre", np.zeros(3)),
    "a radius of zero": ("polynomial_radius", 0.0),
    "a negative radius": ("polynomial_radius", -1.0),
    "radii": ("polynomial_radius", [1.0, 1.0]),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_members(case, path):
    name, values = WRONG[case]
    parts = members(content("power", path))
    assert read(path, archive(parts)) is not None
    assert read(path, archive({**parts, name: npy(values)})) is None


@pytest.mark.parametrize("name", ["weights", "format", "activation", "polynomial_centre"])
def test_missing_members(name, path):
    parts = members(content("power", path))
    assert read(path, archive({other: part for other, part in parts.items() if other != name})) is None


def test_other_members(path):
    parts = members(content("relu", path))
    assert read(path, archive({**parts, "more": npy([1.0])})) is None
    twice = io.BytesIO(archive(parts))
    with zipfile.ZipFile(twice, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("weights.npy", parts["weights"])
    assert read(path, twice.getvalue()) is None


def test_nothing_in_a_file_is_run(path):
    parts = members(content("relu", path))
    trap = npy(np.array([Trap()], dtype=object), allow_pickle=True)
    for name in ("weights", "format", "feature_names"):
        assert read(path, archive({**parts, name: trap})) is None
    assert read(path, pickle.dumps(Trap())) is None
    header = b"{'descr': __import__('os'), 'fortran_order': False, 'shape': (3,), }"
    evil = b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n" + bytes(24)
    assert read(path, archive({**parts, "biases": evil})) is None


def claimed(shape, kind="<f8"):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


HUGE = {
    "a huge shape": claimed((2**36,)),
    "a shape beyond machines": claimed((10**30,)),
    "a product beyond machines": claimed((2**32, 2**32)),
    "a product that wraps to nothing": claimed((2**32, 2**32), "<f8"),
    "nothing times much": claimed((0, 2**60)),
    "a negative shape": claimed((-1,)),
    "many dimensions": claimed((1,) * 40) + bytes(8),
    "long texts": claimed((1,), "<U999999999"),
    "texts beyond machines": claimed((0,), "<U99999999999"),
    "a header that ends nowhere": claimed((1,))[:40],
    "a second version": claimed((1,)).replace(b"\x01\x00", b"\x02\x00", 1),
}


def peak(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("case", HUGE)
@pytest.mark.parametrize("name", ["weights", "biases", "feature_names"])
def test_what_is_declared_but_not_there_takes_no_memory(case, name, path):
    data = archive({**members(content("relu", path)), name: HUGE[case]})
    assert read(path, data) is None
    assert peak(lambda: read(path, data)) < 2**20


def test_a_compressed_archive_is_not_unpacked(path):
    parts = {**members(content("relu", path)), "weights": npy(np.zeros((2**20, 8)))}
    data = archive(parts, compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 2**17
    assert peak(lambda: read(path, data)) < 2**20
    assert read(path, data) is None


def test_sizes_that_lie(path):
    """In the directory of the archive: members longer than the file, or two that share their bytes."""
    data = content("relu", path)
    directory = data.index(b"PK\x01\x02")
    for size in (2**31, 2**32 - 2):
        changed = bytearray(data)
        for at in (directory + 20, directory + 24):
            changed[at : at + 4] = size.to_bytes(4, "little")
        assert peak(lambda changed=bytes(changed): read(path, changed)) < 2**20
        assert read(path, bytes(changed)) is None


@pytest.mark.parametrize("length", [0, 1, 21, 22, 1000])
def test_files_of_noise(path, length):
    assert read(path, np.random.default_rng(length).bytes(length)) is None


needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


def other_kinds(tmp_path):
    pipe = tmp_path / "pipe.npz"
    os.mkfifo(pipe)
    link = tmp_path / "link.npz"
    link.symlink_to(pipe)
    return {pipe: "a named pipe", link: "a named pipe", tmp_path: "a folder", Path(os.devnull): "a device"}


@needs_pipes
def test_what_is_no_file_is_not_waited_for(tmp_path):
    for path, words in other_kinds(tmp_path).items():
        with pytest.raises(rs.ProblemError, match=words):
            rs.RidgeSpline.load(path)
        with pytest.raises(rs.ProblemError, match=words):
            NETWORKS["relu"].save(path)


def test_a_polynomial_is_checked_like_the_rest():
    W, b, v = np.eye(2), np.zeros(2), np.ones(2)
    for which, words in (([[3, 0]], "degree 2 to 2"), ([[1, 1, 0]], "exponents"), ([[2, 0]], None)):
        polynomial = Polynomial(np.array(which), np.array([1.0]), np.zeros(2), 1.0)
        make = lambda own=polynomial: rs.RidgeSpline(W, b, v, activation=rs.TruncatedPower(2), polynomial=own)  # noqa: E731
        if words is None:
            make()
            continue
        with pytest.raises(rs.ProblemError, match=words):
            make()


def test_an_order_that_nothing_can_compute():
    with pytest.raises(rs.ProblemError, match="at most 170"):
        rs.TruncatedPower(171)
    assert np.isfinite(rs.TruncatedPower(170).value(np.array([1.0]))).all()
