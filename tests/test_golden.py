"""
Golden images: what is drawn now, against the pictures kept in `golden/`.

    ./scripts/test tests/test_golden.py --update-golden

draws the kept pictures again; look at them before you commit them.
"""

import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import animate
from animate import Animation, Hyperparameters, Line, Trajectory, train

GOLDEN = Path(__file__).parent / "golden"
CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
DRAWN_WITH = ("matplotlib", "contourpy", "numpy", "pillow", "torch")
MOST_IMAGES, MOST_BYTES = 40, 3_000_000
SIZE = (640, 360)
ARTICLE = (0.1, 0.7, 1.01)
SHEET = "sheet-fit-light.png"
NETWORK = "random_plane-light-020.png"
# With other versions text and edges move by parts of a pixel. There, squares of 8 pixels are
# averaged, and averages may differ by this much of 255, the most of all squares and on the mean.
# With matplotlib 3.11 it is 68 and 1.0.
SQUARE, LARGEST, MEAN = 8, 80, 1.5


@dataclass(frozen=True)
class Case:
    views: str
    theme: str
    epochs: Sequence[int] = (0, 8, 100)
    lrs: Sequence[float] = ARTICLE
    made: str = ""  # by this function of this module, not from the article's data

    @property
    def name(self) -> str:
        if self.made:
            return f"{self.views.replace(' ', '-')}-{self.made}-{self.theme}"
        rates = "" if self.lrs == ARTICLE else f"-{'-'.join(map(str, self.lrs))}"
        return f"{self.views.replace(' ', '-')}{rates}-{self.theme}"


CASES = [
    Case("fit", "light"),
    Case("loss", "dark"),
    Case("surface", "light"),
    Case("landscape", "dark"),
    Case("bowl", "light"),
    Case("weights", "dark"),
    Case("cliff", "light"),
    Case("data", "dark", (0,)),
    Case("sharpness", "dark", (100,)),
    Case("landscape3d", "light", (8,)),
    Case("plane", "light", (8,)),
    Case("fit loss", "light", (3, 100), (0.7, 5)),  # 5 overflows
    Case("surface bowl", "dark", (40,), (5, 1.01)),
    Case("cliff weights", "light", (100,), (5, 0.02)),
    Case("data fit landscape", "transparent", (8,), (0.7,)),
    Case("fit", "light", (30,), made="waves"),
    Case("boundary", "light", (30,), made="halves"),
    Case("boundary", "dark", (8,), made="thirds"),
    Case("loss metric", "light", (30,), made="measured"),
    Case("losses", "dark", (20,), made="measured"),
    Case("range", "light", (60,), made="range_tests"),
]
RECORDS = np.arange(61)


class Wave:
    """A sine in one input, with its amplitude and frequency as weights."""

    x, start = np.linspace(-1, 1, 40), np.ones(2)
    y = np.sin(3 * x) + 0.1 * np.cos(40 * x)

    def predict(self, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
        return weights[..., :1] * np.sin(weights[..., 1:] * x)


class Circles:
    """Classes in two inputs, each with a higher score nearer to a centre of its own."""

    def __init__(self, classes: int) -> None:
        angle = 2 * np.pi * np.arange(60) / 60
        self.y = np.arange(60) % classes
        self.x = (0.6 + self.y / 2)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
        self.start = np.zeros(2 * classes)

    def class_scores(self, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
        centres = weights.reshape(*weights.shape[:-1], 1, -1, 2)
        sharpness = 1 + np.arange(centres.shape[-2]) / 2
        return -sharpness * np.square(x[:, None] - centres).sum(axis=-1)


def waves() -> list[Trajectory]:
    share = np.minimum(RECORDS / 40, 1)[:, None]
    ways = [(1 - share) * start + share * [1, 3] for start in ([-0.5, 1], [1, 6])]
    return [Trajectory(way, problem=WAVE) for way in ways]


def halves() -> list[Trajectory]:
    problem = Circles(2)
    way = np.linspace([0.3, 0.2, -0.5, 0], [0, 0, 0, 0.4], 61)
    return [Trajectory(way[::step], problem=problem) for step in (1, -1)]


def thirds() -> list[Trajectory]:
    return [Trajectory(np.linspace(np.arange(6) / 6, [0, 1, 1, 0, -1, 0], 61), problem=Circles(3))]


def measured() -> list[Trajectory]:
    fall = 0.9**RECORDS
    metrics = {
        "accuracy": 1 - 0.8 * fall,
        "validation_accuracy": 0.9 - 0.7 * fall,
        "validation_loss": 2 * fall + 0.2 + 0.002 * RECORDS,
        "batch_loss": (2 * fall + 0.1) * (1.3 + np.sin(9 * RECORDS)) / 1.3,
    }
    short = Trajectory(None, 2.1 * fall[:15], label="short", metrics={"accuracy": 1 - fall[:15]})
    return [Trajectory(None, 2 * fall + 0.1, metrics=metrics, label="measured"), short]


def range_tests() -> list[Trajectory]:
    log = np.linspace(-4, 2, 61)
    losses = 1 - 0.8 / (1 + np.exp(-6 * (log + 1))) + np.exp(8 * (log - 1))
    schedule = Hyperparameters(10.0, schedule="range")
    line = Line.sample(seed=11)
    weights = np.outer(np.sqrt(losses), [1, 1])
    return [Trajectory(weights, losses, lrs=10**log, hyperparameters=schedule, problem=line)]


WAVE = Wave()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_frame_is_as_it_was(problem, runs, case: Case, tmp_path, update_golden) -> None:
    shown = runs if case.lrs == ARTICLE else train(problem, case.lrs, epochs=100)
    if case.made:
        shown = globals()[case.made]()
    film = Animation(
        shown, case.views.split(), SIZE, theme=case.theme, timeline=sorted(case.epochs)
    )
    drawn = zip(film.timeline, film.frames(), strict=True)
    pictures = {f"{case.name}-{epoch:03}.png": frame for epoch, frame in drawn}
    compare(pictures, tmp_path, update_golden)


def test_a_sheet_of_stills_is_as_it_was(runs, tmp_path, update_golden) -> None:
    path = tmp_path / "drawn.png"
    Animation(runs, ["fit"], (1280, 720)).save(path, at=[0, 8, 100])
    compare({SHEET: read(path)}, tmp_path, update_golden)


def test_a_network_is_as_it_was(tmp_path, update_golden) -> None:
    runs = train(animate.problems.curve(points=20), [0.03, 0.1], epochs=40)
    (frame,) = Animation(runs, "random_plane", SIZE, timeline=[20]).frames()
    compare({NETWORK: frame}, tmp_path, update_golden)


def test_the_kept_pictures_are_few_small_and_all_compared() -> None:
    wanted = {f"{case.name}-{epoch:03}.png" for case in CASES for epoch in case.epochs}
    wanted |= {SHEET, NETWORK}
    kept = list(GOLDEN.iterdir())
    assert {path.name for path in kept} == wanted
    assert len(kept) <= MOST_IMAGES
    assert sum(path.stat().st_size for path in kept) <= MOST_BYTES


def compare(pictures: dict[str, np.ndarray], folder: Path, update: bool) -> None:
    """Fail if a picture differs, and leave it in `folder` with a picture of the difference."""
    failures = []
    for name, drawn in pictures.items():
        path = GOLDEN / name
        if update:
            write(path, drawn)
        kept = read(path)
        if not same(drawn, kept):
            actual, difference = folder / f"actual-{name}", folder / f"difference-{name}"
            write(actual, drawn)
            write(difference, shown_difference(drawn, kept))
            failures.append(f"{path} differs\n  drawn now: {actual}\n  difference: {difference}")
    if failures:
        pytest.fail("\n".join(failures), pytrace=False)


def same(drawn: np.ndarray, kept: np.ndarray) -> bool:
    if drawn.shape != kept.shape:
        return False
    if is_pinned():
        return np.array_equal(drawn, kept)
    apart = np.abs(averages(drawn) - averages(kept))
    return bool(apart.max() <= LARGEST and apart.mean() <= MEAN)


@cache
def is_pinned() -> bool:
    """Return whether this is what the kept pictures were drawn with, to the version."""
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", CONSTRAINTS.read_text(), re.MULTILINE))
    same_versions = all(version(name).split("+")[0] == pinned[name] for name in DRAWN_WITH)
    return same_versions and (platform.system(), platform.machine()) == ("Linux", "x86_64")


def averages(picture: np.ndarray) -> np.ndarray:
    height, width = (side // SQUARE * SQUARE for side in picture.shape[:2])
    squares = picture[:height, :width].reshape(height // SQUARE, SQUARE, width // SQUARE, SQUARE, 4)
    return squares.mean(axis=(1, 3))


def shown_difference(drawn: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return a picture that is black where both are the same, and white where they differ most."""
    height, width = np.minimum(drawn.shape[:2], kept.shape[:2])
    apart = np.abs(drawn[:height, :width].astype(int) - kept[:height, :width]).max(axis=2)
    shown = np.full((height, width, 4), 255, np.uint8)
    shown[..., :3] = np.where(apart > 0, np.maximum(apart, 64), 0)[..., None]
    return shown


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGBA"))


def write(path: Path, picture: np.ndarray) -> None:
    """Write `picture` without loss."""
    image = Image.fromarray(picture)
    opaque = picture[..., 3].min() == 255
    path.parent.mkdir(exist_ok=True)
    (image.convert("RGB") if opaque else image).save(path, optimize=True)
