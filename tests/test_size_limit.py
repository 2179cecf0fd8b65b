import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animate import InputError, Recipe, make
from animate.recipe.size_limit import Setting, first_that_fits, ladder

BEST = Setting("medium", 25, (1280, 720))


def rungs() -> list[Setting]:
    return ladder(BEST, lambda size: size[0] >= 800)


def test_quality_is_reduced_first_then_the_frame_rate_then_the_size() -> None:
    settings = rungs()
    assert settings[0] == BEST
    changed = [
        next(name for name in ("size", "fps", "quality") if getattr(a, name) != getattr(b, name))
        for a, b in itertools.pairwise(settings)
    ]
    assert changed == sorted(changed, key=["quality", "fps", "size"].index)
    assert settings[-1].quality == "low"
    assert settings[-1].fps == 10


def test_all_rungs_are_legible_and_keep_the_aspect_ratio() -> None:
    for setting in rungs():
        width, height = setting.size
        assert width >= 800
        assert width / height == pytest.approx(16 / 9, rel=0.01)


@given(st.integers(1, 3000))
def test_the_best_that_fits_is_found_with_few_films(limit) -> None:
    settings = rungs()
    sizes = {setting: 2500 - 100 * place for place, setting in enumerate(settings)}
    asked = []

    def made(setting: Setting) -> int:
        asked.append(setting)
        return sizes[setting]

    place, size = first_that_fits(settings, made, limit)
    expected = next((n for n, setting in enumerate(settings) if sizes[setting] <= limit), None)
    assert place == expected
    assert size == (min(sizes.values()) if expected is None else sizes[settings[expected]])
    assert len(asked) == len(set(asked)) <= 6


def test_a_folder_of_frames_has_no_limit() -> None:
    with pytest.raises(InputError, match="a folder of frames, which has no size limit"):
        make(Recipe(outputs=["a/"], max_size="2MB"))


@pytest.mark.parametrize("bad", ["x", "0", "-1MB", "1.2.3MB", "999999GB", ""])
def test_an_invalid_limit_is_refused(bad) -> None:
    with pytest.raises(InputError, match="limit"):
        Recipe(max_size=bad)
