"""How long the demo takes from the drag of a point to the new optimum on the screen, in a headless Chromium.

A point in the middle of the list is dragged in small steps, each sent to the browser like a mouse's. The time of a step
runs from the handling of its event to the next frame after all pictures are drawn: the page measures it itself. Needs
chromium, chromedriver and selenium.

    python benchmarks/demo.py [--data waves] [--steps 200]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from typing import Any

import numpy as np

from ridgesplines.demo.datasets import DATASETS
from ridgesplines.demo.server import Demo

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1600,900"
)
#: The panel of a data set, and its points there, for d = 1 and d = 2.
PANELS = {1: ("line", "#spline .datum"), 2: ("plane", "#map-free .sample")}
#: Seconds between two steps: each has its own fit.
BETWEEN = 0.06


def browser() -> Any:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS.split(), f"--user-data-dir={tempfile.mkdtemp()}"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def drag_times(page: Any, origin: str, data: str, steps: int) -> np.ndarray:
    """Milliseconds of each step."""
    panel, points = PANELS[DATASETS[data].d]
    page.get(origin)
    wait(page, "return document.body.dataset.ready")
    page.execute_script("document.getElementById(`tab-${arguments[0]}`).click()", panel)
    select = "const s = document.querySelector(`#${arguments[0]} [name=data]`); s.value = arguments[1];"
    page.execute_script(f"{select} s.dispatchEvent(new Event('change'))", panel, data)
    count = len(DATASETS[data].make())
    wait(page, f"return document.querySelectorAll('{points}').length === {count}")
    time.sleep(2.0)
    middle = f"const r = document.querySelectorAll('{points}')[{count // 2}].getBoundingClientRect();"
    x, y = page.execute_script(f"{middle} return [r.x + r.width / 2, r.y + r.height / 2]")
    mouse(page, "mousePressed", x, y)
    page.execute_script("performance.clearMeasures()")
    for i in range(steps):
        mouse(page, "mouseMoved", x + 40.0 * np.sin(0.1 * i), y + 40.0 * np.sin(0.07 * i))
        time.sleep(BETWEEN)
    mouse(page, "mouseReleased", x, y)
    measured = "return performance.getEntriesByName(`fit ${arguments[0]}`).map((fit) => fit.duration)"
    return np.array(page.execute_script(measured, panel))


def mouse(page: Any, kind: str, x: float, y: float) -> None:
    event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
    page.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def wait(page: Any, script: str) -> None:
    while not page.execute_script(script):
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="waves", choices=DATASETS, help="one of the page's data sets (waves)")
    parser.add_argument("--steps", type=int, default=200, help="steps of the drag (200)")
    args = parser.parse_args()
    page = browser()
    with Demo(0) as demo:
        threading.Thread(target=demo.serve_forever, daemon=True).start()
        try:
            times = drag_times(page, demo.origins[0], args.data, args.steps)
        finally:
            page.quit()
            demo.shutdown()
    low, median, high = np.percentile(times, [10, 50, 90])
    n = len(DATASETS[args.data].make())
    print(f"{args.data}, N = {n}: median of {len(times)} fits {median:.1f} ms (80 % in {low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
