"""Save a screenshot of the default page at epoch 12 as a PNG of 128 colors."""

import io
import sys
import tempfile
from pathlib import Path

from chromium import find_chromium, launch
from PIL import Image

import animate
from animate.page import page
from animate.system.files import atomic

OUTPUT = Path(__file__).parent.parent / "outputs" / "gallery" / "page.png"
FRAGMENT = "#lr=0.1,0.7,1.01&run=3&epoch=12&seed=11&start=-1,1"
WIDTH, HEIGHT = 1280, 812
COLORS = 128


def main() -> None:
    chromium = find_chromium()
    if chromium is None:
        sys.exit("there is no Chromium to open the page in; on Debian: apt-get install chromium")
    runs = animate.train(animate.Line.sample(), [0.1, 0.7, 1.01], epochs=100)
    with tempfile.TemporaryDirectory() as folder, launch(chromium) as browser:
        file = Path(folder, "lesson.html")
        file.write_text(page(runs), encoding="utf-8")
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
        tab.goto(file.as_uri() + FRAGMENT)
        tab.wait_for_selector("#app")
        image = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    with atomic(OUTPUT) as temporary:
        image.quantize(COLORS, dither=Image.Dither.NONE).save(temporary, "png", optimize=True)


if __name__ == "__main__":
    main()
