"""Open the default page at a telling epoch and take a picture of it, with few colours."""

import io
import sys
import tempfile
from pathlib import Path

from chromium import found, launched
from PIL import Image

import animate
from animate.page import page
from animate.system.files import atomic

OUTPUT = Path(__file__).parent.parent / "outputs" / "gallery" / "page.png"
MOMENT = "#lr=0.1,0.7,1.01&run=3&epoch=12&seed=11&start=-1,1"
WIDTH, HEIGHT = 1280, 812
COLOURS = 128


def main() -> None:
    path = found()
    if path is None:
        sys.exit("there is no Chromium to open the page in; on Debian: apt-get install chromium")
    runs = animate.train(animate.Line.sample(), [0.1, 0.7, 1.01], epochs=100)
    with tempfile.TemporaryDirectory() as folder, launched(path) as browser:
        file = Path(folder, "lesson.html")
        file.write_text(page(runs), encoding="utf-8")
        opened = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        opened.goto(file.as_uri() + MOMENT)
        opened.wait_for_selector("#app")
        picture = Image.open(io.BytesIO(opened.screenshot())).convert("RGB")
    with atomic(OUTPUT) as temporary:
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(temporary, "png", optimize=True)


if __name__ == "__main__":
    main()
