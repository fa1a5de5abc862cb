"""How long the demo takes from the drag of a point to the new optimum on the screen, in a headless Chromium.

A datum in the middle of N is dragged in small steps, each sent to the browser like a mouse's. The time of a step runs
from the handling of its event to the next frame after spline, impulses and certificate are drawn: the page measures it
itself, under the name "fit line". Needs chromium, chromedriver and selenium.

    python benchmarks/demo.py [--points 100] [--steps 200]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time

import numpy as np

from ridgesplines.demo import Demo

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1600,900"
)


def browser():
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS.split(), f"--user-data-dir={tempfile.mkdtemp()}"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def drag_times(origin: str, points: int, steps: int) -> np.ndarray:
    """Milliseconds of each step."""
    page = browser()
    try:
        page.get(origin)
        wait(page, "return document.body.dataset.ready")
        select = "const s = document.querySelector('#line [name=data]'); s.value = arguments[0];"
        name = {40: "hat", 100: "waves", 133: "motorcycle"}[points]
        page.execute_script(f"{select} s.dispatchEvent(new Event('change'))", name)
        wait(page, f"return document.querySelectorAll('#spline .datum').length === {points}")
        time.sleep(1.0)
        middle = f"const r = document.querySelectorAll('#spline .datum')[{points // 2}].getBoundingClientRect();"
        x, y = page.execute_script(f"{middle} return [r.x + r.width / 2, r.y + r.height / 2]")
        mouse(page, "mousePressed", x, y)
        page.execute_script("performance.clearMeasures('fit line')")
        for i in range(steps):
            mouse(page, "mouseMoved", x + 40.0 * np.sin(0.1 * i), y + 80.0 * np.sin(0.07 * i))
            time.sleep(0.06)  # each step has its own fit
        mouse(page, "mouseReleased", x, y)
        return np.array(
            page.execute_script("return performance.getEntriesByName('fit line').map((fit) => fit.duration)")
        )
    finally:
        page.quit()


def mouse(page, kind: str, x: float, y: float) -> None:
    page.execute_cdp_cmd(
        "Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1, "buttons": 1}
    )


def wait(page, script: str) -> None:
    while not page.execute_script(script):
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=100, choices=(40, 100, 133), help="N (100)")
    parser.add_argument("--steps", type=int, default=200, help="steps of the drag (200)")
    args = parser.parse_args()
    with Demo(0) as demo:
        threading.Thread(target=demo.serve_forever, daemon=True).start()
        times = drag_times(demo.origins[0], args.points, args.steps)
        demo.shutdown()
    low, median, high = np.percentile(times, [10, 50, 90])
    print(
        f"N = {args.points}: {len(times)} steps, drag to fit: median {median:.1f} ms (80 % in {low:.1f} to {high:.1f})"
    )


if __name__ == "__main__":
    main()
