"""The demo's page in a headless Chromium, where there is one: nothing from outside, and everything it promises."""

import base64
import io
import json
import re
import shutil
import time
import xml.etree.ElementTree as ElementTree
from contextlib import redirect_stdout

import numpy as np
import pytest

import ridgesplines as rs

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.actions.action_builder import ActionBuilder  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
HERE = CHROMIUM is not None and DRIVER is not None
pytestmark = pytest.mark.skipif(not HERE, reason="needs chromium and chromedriver on the path")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1600,900"
)


class Page:
    """What a person does with the page."""

    def __init__(self, browser, origin, downloads):
        self.browser, self.origin, self.downloads = browser, origin, downloads

    def open(self, address="/"):
        self.browser.get("about:blank")  # an address that differs in its hash alone would not load anew
        self.browser.get(self.origin + address)
        self.until(lambda: self.run("return document.body.dataset.ready"))
        self.until(lambda: self.k("line"))
        self.until(self.settled)
        return self

    def settled(self):
        """Whether the layout has come to rest: labels that arrive late move the points on a busy machine."""
        if not self.count("#spline .datum"):
            return True  # a panel without points
        before = self.place("#spline .datum")
        time.sleep(0.15)
        return before == self.place("#spline .datum")

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def until(self, condition, seconds=30):
        return WebDriverWait(self.browser, seconds, 0.1).until(lambda _: condition())

    def find(self, selector):
        return self.browser.find_element("css selector", selector)

    def click(self, selector):
        self.run("document.querySelector(arguments[0]).click()", selector)

    def choose(self, selector, value):
        script = "const s = document.querySelector(arguments[0]); s.value = arguments[1];"
        self.run(f"{script} for (const kind of ['input', 'change']) s.dispatchEvent(new Event(kind))", selector, value)

    def k(self, panel):
        """K, and N, of the fit that is shown last in a panel."""
        text = self.run("return document.querySelector(arguments[0])?.textContent", f"#{panel} .facts:last-of-type dd")
        found = re.search(r"K = (\d+) < N = (\d+)", text or "")
        return found and tuple(map(int, found.groups()))

    def fact(self, panel, name):
        script = (
            "return [...document.querySelectorAll(`#${arguments[0]} .facts div`)]"
            ".find((row) => row.firstChild.textContent === arguments[1])?.lastChild.textContent"
        )
        return self.run(script, panel, name)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def count(self, selector):
        return self.run("return document.querySelectorAll(arguments[0]).length", selector)

    def spline(self):
        return self.run("return document.querySelector('#spline .fit').getAttribute('points')")

    def state(self):
        """What the address holds, once it has been written."""
        time.sleep(0.3)
        script = "return atob(location.hash.slice(1).replaceAll('-', '+').replaceAll('_', '/'))"
        return json.loads(self.run(script))

    def place(self, selector, index=0):
        """Where the middle of an element is: it may be drawn anew between two looks."""
        script = "const r = document.querySelectorAll(arguments[0])[arguments[1]].getBoundingClientRect();"
        return self.run(f"{script} return [r.x + r.width / 2, r.y + r.height / 2]", selector, index)

    def drag(self, right, down, selector="#spline .datum"):
        """The sixth point, by so many pixels."""
        x, y = self.place(selector, 5)
        hand = ActionBuilder(self.browser, duration=20)
        hand.pointer_action.move_to_location(x, y).pointer_down()
        hand.pointer_action.move_to_location(x + right, y + down).pointer_up()
        hand.perform()

    def tap(self, x, y, times=1):
        hand = ActionBuilder(self.browser, duration=0)
        hand.pointer_action.move_to_location(x, y)
        for _ in range(times):
            hand.pointer_action.pointer_down().pointer_up()
        hand.perform()

    def exported(self, kind):
        path = self.downloads / f"ridgesplines-{self.state()['panel']}.{kind}"
        path.unlink(missing_ok=True)
        self.click(f"[data-export={kind}]")
        self.until(lambda: path.exists() and path.stat().st_size)
        return path

    def picture(self):
        """How many pictures an exported one has, each drawn in full colour, and its words."""
        whole, svg = ElementTree.parse(self.exported("svg")).getroot(), "{http://www.w3.org/2000/svg}"
        parts = whole.findall(f"{svg}svg")
        assert all(part.get("opacity") == "1" for part in parts)
        return len(parts), [text.text for text in whole.findall(f"{svg}text")]

    def press(self, *keys, on="body"):
        self.find(on).send_keys(*keys)


@pytest.fixture(scope="module")
def page(demo, tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    folder, downloads = tmp_path_factory.mktemp("profile"), tmp_path_factory.mktemp("downloads")
    for flag in (*FLAGS.split(), f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    browser.get("about:blank")
    browser.get_log("performance")  # the browser's own first page
    yield Page(browser, demo.origins[0], downloads)
    browser.quit()


@pytest.fixture(autouse=True)
def quiet(page):
    """After every test: no message in the console, and no request to anywhere else."""
    yield
    assert page.browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in page.browser.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert asked
    assert [url for url in asked if not url.startswith((page.origin, "data:", f"blob:{page.origin}", "about:"))] == []


def test_it_loads_and_shows_the_optimum(page):
    page.open()
    assert page.k("line") == (4, 40)
    assert page.fact("line", "certificate") == "exact"
    assert float(page.fact("line", "relative gap")) < 1e-8
    for marks in ("#spline .knot", "#impulses .head", "#certificate .knot"):
        assert page.count(marks) == 4


def test_a_drag_moves_the_spline_and_its_knots(page):
    page.open()
    spline, k, objective = page.spline(), page.k("line"), page.fact("line", "objective")
    page.drag(0, 110)
    page.until(lambda: page.spline() != spline and page.k("line") != k)
    state = page.state()["line"]
    x, y = np.array(state["points"]).T
    solution = rs.solve(rs.Problem(x, y, state["lam"]))
    page.until(lambda: page.k("line") == (solution.network.n_neurons, 40))
    page.press(Keys.CONTROL, "z")
    # By what is fitted: where the spline is drawn changes with the layout, which settles late on a busy machine.
    page.until(lambda: page.fact("line", "objective") == objective and page.k("line") == k)
    page.press(Keys.CONTROL, Keys.SHIFT, "z")
    page.until(lambda: page.state()["line"]["points"] == state["points"])


def test_points_are_added_and_deleted(page):
    page.open()
    x, y = page.place("#spline .plot")
    page.tap(x + 30, y - 110)
    page.until(lambda: page.k("line")[1] == 41)
    time.sleep(0.5)  # else the next click would be the second of a double click
    page.tap(*page.place("#spline .datum.selected"), times=2)
    page.until(lambda: page.k("line")[1] == 40)
    page.press("u")
    page.until(lambda: page.k("line")[1] == 41)


def test_lambda_loss_and_sparsest(page):
    page.open()
    page.choose("#line [name=lam]", "0.05")
    page.until(lambda: page.k("line")[0] == 0)
    page.choose("#line [name=lam]", "-4")
    page.until(lambda: page.k("line")[0] > 10)
    fewest = page.k("line")[0]
    page.click("#line [name=sparsest]")
    page.until(lambda: page.k("line")[0] > fewest)
    page.choose("#line [name=loss]", "huber")
    page.until(lambda: page.state()["line"]["loss"] == "huber" and page.fact("line", "certificate") == "exact")
    page.choose("#line [name=data]", "bands")
    page.until(lambda: page.k("line")[1] == 60)
    assert page.state()["line"]["loss"] == "logistic"


def test_what_cannot_be_solved_is_said(page):
    page.open()
    page.choose("#line [name=data]", "few")
    page.until(lambda: page.k("line")[1] == 8)
    for _ in range(4):  # the points on the right go: what is left are classes that one point separates
        page.press(Keys.ARROW_LEFT, on="#spline .plot")
        page.press(Keys.DELETE, on="#spline .plot")
    page.until(lambda: page.k("line")[1] == 4)
    page.choose("#line [name=loss]", "logistic")
    assert "separate" in page.until(lambda: page.text("#message"))
    assert "422" in page.browser.get_log("browser")[0]["message"]  # Chromium notes every refusal
    page.press("u")
    page.until(lambda: not page.text("#message"))


def test_the_keyboard_is_enough(page):
    page.open()
    plot = "#spline .plot"
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, on=plot)
    before = page.state()["line"]["points"]
    page.press(Keys.SHIFT, Keys.ARROW_UP, on=plot)
    after = page.until(lambda: (now := page.state()["line"]["points"]) != before and now)
    moved = [i for i, row in enumerate(after) if row != before[i]]
    assert len(moved) == 1
    assert after[moved[0]][1] > before[moved[0]][1]
    page.press(Keys.ENTER, on=plot)
    page.until(lambda: page.k("line")[1] == 41)
    page.press(Keys.DELETE, on=plot)
    page.until(lambda: page.k("line")[1] == 40)
    lam = page.state()["line"]["lam"]
    page.press(".")
    page.until(lambda: page.state()["line"]["lam"] > lam)
    for key, panel in (("3", "plane"), ("2", "race"), ("1", "line")):
        page.press(key)
        assert page.find(f"#{panel}").is_displayed()
    page.press("?")
    assert page.find("#keys-dialog").is_displayed()
    page.press(Keys.ESCAPE, on="#keys-dialog")
    theme = page.run("return document.documentElement.dataset.theme")
    page.press("d")
    assert page.run("return document.documentElement.dataset.theme") != theme


def test_a_link_restores_the_state(page):
    page.open()
    page.choose("#line [name=data]", "motorcycle")
    page.until(lambda: page.k("line")[1] == 133)
    page.choose("#line [name=lam]", "-2.5")
    page.drag(0, 60)
    page.click("#tab-plane")
    page.choose("#plane [name=directions]", "12")
    state, k = page.state(), page.k("line")
    link = page.run("return location.hash")
    page.open()
    assert page.state() != state
    page.open(f"/{link}")
    assert page.state() == state
    assert page.k("line") == k


@pytest.mark.parametrize(
    "junk", ["#%%%", "#bm90IGpzb24", "#eyJsaW5lIjp7InBvaW50cyI6WzFdfX0", "#<img src=x onerror=alert(1)>"]
)
def test_a_link_that_is_none_shows_the_start_and_says_so(page, junk):
    assert page.open(f"/{junk}").k("line") == (4, 40)
    assert page.text("#message").startswith("The link is not read: ")
    page.choose("#line [name=data]", "few")
    page.until(lambda: page.k("line")[1] == 8 and not page.text("#message"))


def test_a_link_to_data_that_are_none(page):
    """Names that every object of JavaScript has are asked of the server, which has no such data."""
    state = {"line": {"data": "constructor", "points": [[0, 0], [1, 1], [2, 0]]}, "plane": {"points": [[0, 0, 0]]}}
    page.open("/#" + base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("="))
    assert page.k("line")[1] == 3
    assert page.text("#message") == ""
    assert any("404" in entry["message"] for entry in page.browser.get_log("browser"))


def test_exports(page):
    page.open()
    page.choose("#line [name=data]", "waves")
    page.until(lambda: page.k("line")[1] == 100)
    page.drag(10, 80)
    shown = page.until(lambda: page.fact("line", "objective"))
    names = {}
    with redirect_stdout(io.StringIO()):
        exec(page.exported("py").read_text(), names)
    page.until(lambda: page.fact("line", "objective") == f"{names['solution'].objective:.6g}")
    assert shown
    table = np.genfromtxt(page.exported("csv"), delimiter=",", skip_header=1)
    assert np.allclose(table[:, 2], names["solution"].network(table[:, 0]))
    pictures, words = page.picture()
    assert pictures == 3
    assert "The proof." in words
    page.run("document.querySelector('#certificate svg').classList.add('absent'); document.body.classList.add('stale')")
    assert page.picture() == (2, [word for word in words if word != "The proof."])
    assert page.exported("png").read_bytes().startswith(b"\x89PNG")


def test_the_race_stays_above_the_optimum(page):
    pytest.importorskip("torch")
    page.open()
    page.click("#tab-race")
    page.choose("#race [name=width]", "40")
    page.choose("#race [name=epochs]", "300")
    page.click("#race [name=go]")
    page.until(lambda: page.text("#race [name=go]") == "Stop")
    page.until(lambda: page.text("#race [name=go]") == "Start the race", 90)
    table = np.genfromtxt(page.exported("csv"), delimiter=",", names=True)
    assert len(table) > 20
    assert (table["objective"] >= table["bound"]).all()
    assert table["objective"][-1] < table["objective"][0]
    assert table["imbalance"][-1] < table["imbalance"][0]
    assert "WeightDecay(width=40" in page.exported("py").read_text()


def test_a_race_can_be_stopped_and_started_again(page):
    pytest.importorskip("torch")
    page.open()
    page.press("s")
    page.until(lambda: (page.fact("race", "epoch") or "").isdigit(), 60)
    page.press("s")
    page.until(lambda: page.text("#race [name=go]") == "Start the race")
    page.choose("#race [name=optimizer]", "lbfgs")
    page.press("s")
    page.until(lambda: (page.fact("race", "epoch") or "").isdigit(), 60)
    page.press("s")


def test_two_dimensions(page):
    page.open()
    page.click("#tab-plane")
    page.until(lambda: page.k("plane"))
    objective = "return document.querySelectorAll('#plane .facts')[arguments[0]].children[1]?.lastChild.textContent"
    grid, free = 0, 1
    off = float(page.until(lambda: page.run(objective, free)))
    few = float(page.until(lambda: page.run(objective, grid)))
    page.choose("#plane [name=directions]", "48")
    many = float(page.until(lambda: (text := page.run(objective, grid)) != str(few) and text))
    assert off <= many < few
    assert page.count("#map-free .ridge") == page.count("#cylinder-free .head") == page.k("plane")[0]
    assert page.count("#cylinder-grid .direction") == 48
    before = page.state()["plane"]["points"]
    page.drag(25, 10, "#map-free .sample")
    after = page.until(lambda: (now := page.state()["plane"]["points"]) != before and now)
    page.press("+", on="#map-free .plot")
    page.until(lambda: page.state()["plane"]["points"] != after)
    page.choose("#plane [name=data]", "ring")
    page.until(lambda: page.k("plane")[1] == 100 and page.count("#map-free .decision[d*=M]"))


#: By how many pixels the card of the tour reaches over what it explains, and the lesser of their heights.
OVERLAP = """
const [card, own] = ["#tour-card", ".pointed"].map((name) => document.querySelector(name).getBoundingClientRect());
const across = Math.min(card.right, own.right) - Math.max(card.left, own.left);
const down = Math.min(card.bottom, own.bottom) - Math.max(card.top, own.top);
return across > 0 && down > 0 ? down : 0;
"""


@pytest.mark.parametrize("width", [390, 1280])
def test_the_tour_and_its_card_covers_nothing_that_it_explains(page, width):
    page.open()
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.press("t")
    titles = []
    while page.find("#tour-card").is_displayed():
        titles.append(page.find("#tour-title").text)
        page.until(lambda: page.run("return document.querySelector('.pointed')?.getBoundingClientRect().width > 0"))
        assert page.run(OVERLAP) == 0, titles[-1]
        page.press(Keys.ARROW_RIGHT, on="#tour-card")
    assert len(titles) == len(set(titles))
    assert 7 <= len(titles) <= 10
    assert page.run("return document.querySelector('.pointed')") is None
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_race_opens_with_the_optimum_and_says_why_it_ended(page):
    pytest.importorskip("torch")
    page.open()
    page.click("#tab-race")
    page.until(lambda: page.count("#morph .optimum") == 1)
    page.choose("#race [name=width]", "10")
    page.choose("#race [name=epochs]", "300")
    page.click("#race [name=go]")
    page.until(lambda: page.fact("race", "ended") == "all 300 epochs done", 90)


def test_the_layout_fits_and_pictures_of_a_row_are_aligned(page):
    page.open()
    for panel in ("race", "plane"):
        page.click(f"#tab-{panel}")
        tops = page.run("return [...document.querySelectorAll(arguments[0])].map((p) => p.getBoundingClientRect().top)",
                        f"#{panel} .plot")  # fmt: skip
        assert tops[0] == pytest.approx(tops[1], abs=1.0)
        assert tops[2] == pytest.approx(tops[3], abs=1.0)
    for width in (390, 1600):
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for panel in ("line", "race", "plane"):
            page.click(f"#tab-{panel}")
            assert page.run("return document.documentElement.scrollWidth") <= width
            sizes = page.run(
                "return [...document.querySelectorAll(arguments[0])].map((p) => p.clientHeight)", f"#{panel} .plot"
            )
            assert min(sizes) > 60
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
