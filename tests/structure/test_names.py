"""The names under `rs`: all of them are listed, rooms resolve on first use, and misspelt ones are told what is near."""

import subprocess
import sys
import textwrap

import pytest

import ridgesplines as rs


def test_what_there_is_is_listed():
    listed = dir(rs)
    assert set(rs.__all__) <= set(listed)
    assert {"estimators", "inference", "plotting", "radon", "theorems", "torch"} <= set(listed)
    assert listed == sorted(listed)
    assert not {"TYPE_CHECKING", "Any", "import_module"} & set(listed)
    assert all(hasattr(rs, name) for name in listed)


def test_rooms_resolve_on_first_use():
    code = """
        import sys
        import ridgesplines as rs

        assert not {"torch", "sklearn"} & set(sys.modules)
        print(rs.torch.WeightDecay.__name__, rs.RidgeSplineRegressorCV.__name__)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["WeightDecay", "RidgeSplineRegressorCV"]


def test_without_pytorch_its_room_says_what_to_install():
    code = """
        import sys

        class Without:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "torch":
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Without())
        import ridgesplines as rs

        print("torch" in dir(rs), "radon" in dir(rs))
        try:
            rs.torch
        except ImportError as error:
            print(error)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    listed, words = run.stdout.splitlines()
    assert listed == "False True"
    assert words == "ridgesplines.torch needs PyTorch: pip install 'ridgesplines[torch]'"


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("lamda_max", "rs.lambda_max"), ("RidgeSplineRegresor", "rs.RidgeSplineRegressor"), ("relu", "rs.ReLU"),
     ("plot_ting", "rs.plotting"), ("Solve_path", "rs.solve_path")],
)  # fmt: skip
def test_a_misspelt_name_is_told_what_is_near(misspelt, meant):
    with pytest.raises(AttributeError, match=f"has no attribute '{misspelt}'; did you mean {meant}( or .*)?\\?$"):
        getattr(rs, misspelt)


def test_a_name_that_is_near_to_none_is_only_refused():
    for name in ("xyz", "__wrapped__"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'$"):
            getattr(rs, name)
