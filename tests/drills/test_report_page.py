"""The page of a report in a browser: nothing stands over another, and nothing is out of sight."""

import base64
import json
import os
import re
import subprocess
from typing import Any

import pytest

from tests import tiers
from tests.integration.running import sturdis

pytestmark = [pytest.mark.tier("browser"), pytest.mark.tier("embedded")]

LOOK = """<script>
const root = document.documentElement, box = (one) => one.getBoundingClientRect();
const texts = [...document.querySelectorAll("svg text")];
const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const frame = box(document.querySelector("svg"));
const within = (a, b) =>
  a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
const luminance = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map((one) => one / 255)
  .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
  .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
const paper = luminance(getComputedStyle(document.body).backgroundColor);
const contrast = (one, what) => {
  const [a, b] = [luminance(getComputedStyle(one)[what]), paper].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
};
for (const word of ["pass", "fail", "unknown"]) {
  const shown = Object.assign(document.createElement("b"), {className: word, textContent: word});
  document.body.append(shown);
}
const told = {
  title: document.title, scripts: document.scripts.length, fetched: performance.getEntries()
    .filter((one) => one.entryType === "resource").length,
  seen: root.clientWidth, wide: root.scrollWidth, texts: texts.map((one) => one.textContent),
  smallest: Math.min(...texts.map((one) => box(one).height)),
  outside: texts.filter((one) => !within(box(one), frame)).map((one) => one.textContent),
  covered: texts.flatMap((one, number) => texts.slice(number + 1)
    .filter((other) => meet(box(one), box(other)))
    .map((other) => `${one.textContent} / ${other.textContent}`)),
  pale: [...document.querySelectorAll("h1, p, li, td, th, pre, code, b, .pass, .fail")]
    .filter((one) => contrast(one, "color") < 4.5)
    .map((one) => one.textContent)
    .concat(texts.filter((one) => contrast(one, "fill") < 4.5).map((one) => one.textContent)),
  dark: paper < 0.5,
};
const kept = document.createElement("pre");
kept.id = "told";
kept.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(told))));
document.body.append(kept);
</script>"""
"""Tells of the page what a reader would see of it."""

NARROW, WIDE = 400, 1280
"""Widths in pixels: of a telephone, and of a laptop."""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Give the report of a drill with three faults, and with losses."""
    folder = tmp_path_factory.mktemp("page")
    environ = os.environ | {"XDG_STATE_HOME": str(folder / "state")}
    short = ("--seed", "1", "--server", "embedded", "--target", "local")
    ran = sturdis("drill", "run", "power-cut", *short, env=environ)
    assert ran.returncode == 0, ran
    path = folder / "report.html"
    assert sturdis("drill", "report", "--html", str(path), env=environ).returncode == 0
    return path


def seen(page, tmp_path, width: int, *, dark: bool) -> Any:
    """Have the page drawn, and give what is seen of it."""
    looked_at = tmp_path / "looked_at.html"
    looked_at.write_text(page.read_text().replace("</body>", f"{LOOK}</body>"))
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", scheme)
    size = f"--window-size={width},2000"
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [str(tiers.browser()), *options, size, profile, looked_at.as_uri()]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    (told,) = re.findall(r'<pre id="told">([A-Za-z0-9+/=]+)</pre>', ended.stdout)
    return json.loads(base64.b64decode(told))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_page_is_read_on_any_screen(page, tmp_path, width, dark):
    told = seen(page, tmp_path, width, dark=dark)
    assert told["title"] == "power-cut: pass"
    assert told["dark"] is dark
    assert (told["scripts"], told["fetched"]) == (1, 0)  # the script that looks
    assert told["wide"] <= told["seen"] <= width
    assert {"fault 1", "fault 3", "0 s", "added/s", "settle"} <= set(told["texts"])
    assert told["smallest"] >= 8
    assert (told["outside"], told["covered"], told["pale"]) == ([], [], [])
