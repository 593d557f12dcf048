"""A page opened in headless Chromium, and what is found there."""

import html
import json
import re
import shutil
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_LOOK = """
const luminance = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(value => value / 255)
  .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
  .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
const ground = element => {
  for (let each = element; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return colour;
  }
};
const look = page => {
  const faint = [];
  for (const each of page.body.querySelectorAll("*")) {
    if (["title", "NOSCRIPT"].includes(each.tagName)) continue;
    if (![...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(each), behind = ground(each);
    const ink = each.closest("svg") ? style.fill : style.color;
    const [low, high] = [luminance(ink), luminance(behind)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) faint.push([each.tagName, each.textContent.slice(0, 30), contrast]);
  }
  return {
    title: page.title,
    overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    broken: [...page.images].filter(each => !each.complete || !each.naturalWidth).length,
    images: page.images.length,
    loaded: page.defaultView.performance.getEntriesByType("resource").map(each => each.name)
      .filter(name => !name.startsWith("data:")),
    ground: ground(page.body),
    faint,
  };
};
"""

_PROBE = """
<!doctype html><meta charset="utf-8"><body style="margin:0"><iframe id="page" style="border:0" width="{width}"
height="900" srcdoc="{page}"></iframe><pre id="found"></pre><script>{look}
addEventListener("load", () => {{
  const page = document.getElementById("page").contentDocument;
  page.querySelectorAll("details").forEach(each => each.open = true);
  document.getElementById("found").textContent = JSON.stringify(look(page));
}});
</script>
"""

_DRIVER = """
<!doctype html><meta charset="utf-8"><body style="margin:0"><iframe id="page" style="border:0" width="{width}"
height="900" src="{address}"></iframe><script>{look}
const until = async ask => {{ while (!ask()) await new Promise(done => setTimeout(done, 20)); }};
const drive = async page => {{ {script} }};
addEventListener("load", async () => {{
  const came = await drive(document.getElementById("page").contentDocument).catch(error => error.stack);
  await fetch("/came", {{method: "POST", body: JSON.stringify(came)}});
}});
</script>
"""


def look_at(page: Path, scratch: Path, *, width: int, dark: bool = False) -> dict:
    """Open a page at a width, and return what a script beside it finds, and what the console says."""
    wrapper = scratch / f"{width}-{dark}.html"
    wrapper.write_text(_PROBE.format(look=_LOOK, width=width, page=html.escape(page.read_text())))
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


def drive(site: Path, address: str, script: str, scratch: Path, *, width: int, dark: bool = False) -> Any:
    """Serve a folder to this machine, open a page of it, and return what a script makes of it.

    Args:
        site: The folder.
        address: The page in it.
        script: Body of an asynchronous function of ``page``, the document, which returns plain values. It
            may call ``until``, to wait for something, and ``look``.
        scratch: Where the browser may write.
        width: Of the page.
        dark: Whether people prefer it so.
    """
    came: Queue[Any] = Queue()
    driver = _DRIVER.format(look=_LOOK, width=width, address=html.escape(address), script=script)

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/driver":
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            return self.wfile.write(driver.encode())

        def do_POST(self):
            came.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    log = scratch / "browser.log"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site))) as server:
        Thread(target=server.serve_forever).start()
        page = f"http://127.0.0.1:{server.server_port}/driver"
        with (
            log.open("w") as stream,
            subprocess.Popen(_command(scratch, dark, page), stderr=stream) as opened,
        ):
            try:
                return came.get(timeout=120)
            except Empty:
                raise AssertionError(f"nothing came of {address}: {log.read_text()[-2000:]}") from None
            finally:
                opened.terminate()
                server.shutdown()


def _run(page: Path, scratch: Path, *options: str, dark: bool) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(scratch, dark, *options, page.as_uri()),
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _command(scratch: Path, dark: bool, *further: str) -> list[str]:
    return [
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
        *further,
    ]
