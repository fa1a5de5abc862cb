"""What a link to the page may hold: read by the page's own code, where Node.js is installed."""

import base64
import json
import shutil
import subprocess
from importlib.resources import files

import pytest

from ridgesplines.demo import schema

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs node on the path")
SCRIPT = """
import { decoded, encoded } from "./state.mjs";
let input = "";
for await (const part of process.stdin) input += part;
const answers = JSON.parse(input).map((text) => {
  try {
    const state = decoded(text);
    const again = JSON.stringify(decoded(encoded(state))) === JSON.stringify(state);
    return { state, again, own: Object.getPrototypeOf(state) === Object.prototype };
  } catch (error) {
    return { error: error.message };
  }
});
console.log(JSON.stringify({ answers, clean: ({}).lam === undefined && ({}).polluted === undefined }));
"""
LINE, PLANE = [[0.0, 1.0], [1.0, 0.0]], [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """The states, or the reasons, for some texts in the address."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "state.mjs").write_bytes(files("ridgesplines.demo").joinpath("static", "state.js").read_bytes())
    (folder / "main.mjs").write_text(SCRIPT)

    def run(*texts):
        links = [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in texts]
        words = [NODE, str(folder / "main.mjs")]
        out = subprocess.run(words, input=json.dumps(links), capture_output=True, text=True, check=True, timeout=60)
        found = json.loads(out.stdout)
        assert found["clean"]
        return found["answers"]

    return run


def link(part=None, field=None, value=None, **more):
    state = {"line": {"points": LINE}, "plane": {"points": PLANE}, "race": {}, **more}
    if part is not None:
        state[part][field] = value
    return json.dumps(state)


GOOD = {
    ("line", "lam"): [None, 1e-12, 0.5, 1e12],
    ("line", "points"): [[[0, 1]], [[-1e12, 1e12]] * schema.MOST_POINTS[1]],
    ("line", "loss"): list(schema.LOSSES),
    ("line", "parameter"): [None, 0.5],
    ("line", "sparsest"): [True, False],
    ("line", "data"): ["hat", "motorcycle"],
    ("race", "width"): [1, schema.MOST_WIDTH],
    ("race", "optimizer"): list(schema.OPTIMIZERS),
    ("race", "rate"): [None, 1e-6, 10],
    ("race", "epochs"): [1, schema.MOST_EPOCHS],
    ("race", "seed"): [0, schema.MOST_SEED],
    ("plane", "points"): [[[0, 1, 2]], [[0, 0, 0]] * schema.MOST_POINTS[2]],
    ("plane", "directions"): [1, schema.MOST_DIRECTIONS],
}
HOSTILE = [
    None,
    True,
    "",
    "1",
    "__proto__",
    "constructor",
    "toString",
    [],
    [1],
    [[1]],
    {},
    {"valueOf": 1},
    1e308,
    -1e308,
]
BAD = {
    ("line", "lam"): [0, -1, 1e13, "0.5"],
    ("line", "points"): [
        [],
        [[0]],
        [[0, 1, 2]],
        [[0, "1"]],
        [[0, [1]]],
        [[0, None]],
        [[1e308, 0]],
        [[0, 0]] * 501,
        {"0": [0, 1]},
    ],
    ("line", "parameter"): [0, -1],
    ("line", "sparsest"): [0, 1],
    ("line", "data"): ["../about", "x" * 30, 3],
    ("race", "width"): [0, 501, 1.5],
    ("race", "epochs"): [0, 20_001],
    ("race", "seed"): [-1, 1000, 0.5],
    ("race", "rate"): [0, 11],
    ("plane", "points"): [[[0, 1]], [[0, 1, 1e308]], [[0, 0, 0]] * 201],
    ("plane", "directions"): [0, 65, 2.5],
}


def test_what_the_page_itself_writes_is_read(read):
    cases = [(part, field, value) for (part, field), values in GOOD.items() for value in values]
    answers = read(*[link(*case) for case in cases])
    for (part, field, value), answer in zip(cases, answers, strict=True):
        assert answer["state"][part][field] == value
        assert answer["again"]
        assert answer["own"]
    assert read(link(panel="race"))[0]["state"]["panel"] == "race"


def fits(part, field, value):
    return any(value == good and type(value) is type(good) for good in GOOD[part, field]) or (
        field == "data" and value == "constructor"  # a name like any other: the server has no such data
    )


def test_what_does_not_belong_there_is_refused_in_words(read):
    cases = [(*key, value) for key in GOOD for value in (*HOSTILE, *BAD.get(key, ())) if not fits(*key, value)]
    for (part, field, value), answer in zip(cases, read(*[link(*case) for case in cases]), strict=True):
        assert answer.get("error") == f"{part}.{field} is not what belongs there, or out of range", (part, field, value)


def test_unknown_fields_are_refused(read):
    names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "", "Lam"]
    texts = [link(**{name: {"polluted": 1}}) for name in names]
    texts += [link(part, name, {"polluted": 1}) for name in names for part in ("line", "race", "plane")]
    for answer in read(*texts):
        assert "has an unknown field" in answer["error"]


def test_what_is_no_state(read):
    texts = ["", "{", "null", "3", '"a"', "[]", "true", "[" * 10_000, link(panel="__proto__"), link(panel=["line"])]
    texts += [link(line=value) for value in (None, 3, [], "a")]
    texts += [json.dumps({}), json.dumps({"line": {"points": LINE}}), "\udcff".encode("utf-8", "replace").decode()]
    for text, answer in zip(texts, read(*texts), strict=True):
        assert len(answer.get("error", "")) > 10, text
