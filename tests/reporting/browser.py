"""A page opened in headless Chromium, and what is found there."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_PROBE = """
<!doctype html><meta charset="utf-8"><body style="margin:0"><iframe id="page" style="border:0" width="{width}"
height="900" srcdoc="{page}"></iframe><pre id="found"></pre><script>
const luminance = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(value => value / 255)
  .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
  .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
const ground = element => {{
  for (let each = element; each; each = each.parentElement) {{
    const colour = getComputedStyle(each).backgroundColor;
    if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return colour;
  }}
}};
addEventListener("load", () => {{
  const page = document.getElementById("page").contentDocument;
  page.querySelectorAll("details").forEach(each => each.open = true);
  const faint = [];
  for (const each of page.body.querySelectorAll("*")) {{
    if (each.tagName === "title") continue;
    if (![...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(each), behind = ground(each);
    const ink = each.closest("svg") ? style.fill : style.color;
    const [low, high] = [luminance(ink), luminance(behind)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) faint.push([each.tagName, each.textContent.slice(0, 30), contrast]);
  }}
  document.getElementById("found").textContent = JSON.stringify({{
    title: page.title,
    overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    broken: [...page.images].filter(each => !each.complete || !each.naturalWidth).length,
    images: page.images.length,
    loaded: page.defaultView.performance.getEntriesByType("resource").map(each => each.name)
      .filter(name => !name.startsWith("data:")),
    ground: ground(page.body),
    faint,
  }});
}});
</script>
"""


def look_at(page: Path, scratch: Path, *, width: int, dark: bool = False) -> dict:
    """Open a page at a width, and return what a script beside it finds, and what the console says."""
    wrapper = scratch / f"{width}-{dark}.html"
    wrapper.write_text(_PROBE.format(width=width, page=html.escape(page.read_text())))
    output = _run(wrapper, scratch, "--dump-dom", dark=dark)
    found = json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', output.stdout, re.DOTALL)[1]))
    console = [line for line in output.stderr.splitlines() if "CONSOLE" in line]
    return {**found, "console": console}


def shoot(page: Path, picture: Path, scratch: Path, *, width: int, height: int, dark: bool = False) -> None:
    """Take a picture of a page at a width: a window may not be as narrow as a phone, a frame may."""
    wrapper = scratch / "frame.html"
    wrapper.write_text(
        f'<body style="margin:0"><iframe style="border:0" width="{width}" height="{height}" '
        f'srcdoc="{html.escape(page.read_text())}"></iframe>'
    )
    _run(wrapper, scratch, f"--window-size={width},{height}", f"--screenshot={picture}", dark=dark)


def _run(page: Path, scratch: Path, *options: str, dark: bool) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(CHROMIUM),
            "--headless=new",
            "--no-sandbox",  # in a container Chromium has none
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--disable-component-update",
            "--enable-logging=stderr",
            f"--user-data-dir={scratch / 'profile'}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            *options,
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
