"""A recipe's text is TOML that any reader takes, and what other editors write is read."""

import tomllib

import pytest

from animate import InputError, Recipe
from animate.recipe.toml import dumps, load, loads

# TOML 1.0, "String": what a basic string cannot hold as it is.
ESCAPED = [*map(chr, range(32)), "\x7f", '"', "\\"]


@pytest.mark.parametrize("character", [*ESCAPED, "\x80", "\ufeff", "\U0001f642"])
def test_any_character_of_a_title_is_the_same_after_a_round_trip(character) -> None:
    recipe = Recipe(title=f"a{character}b", outputs=["a.gif"])
    text = dumps(recipe)
    assert tomllib.loads(text)["title"] == recipe.title
    assert loads(text, "t.toml") == recipe


def test_a_file_with_a_byte_order_mark_is_read_and_its_lines_counted(tmp_path) -> None:
    path = tmp_path / "t.toml"
    path.write_bytes(b"\xef\xbb\xbfepochs = 3\nlrs = [0.5]\n")
    recipe = load(path)
    assert (recipe.epochs, list(recipe.lrs)) == (3, [0.5])
    path.write_bytes(b"\xef\xbb\xbfepochs = 0\n")
    with pytest.raises(InputError, match=r"t\.toml, line 1: number of epochs 0"):
        load(path)


def test_lines_may_end_as_windows_ends_them(tmp_path) -> None:
    path = tmp_path / "t.toml"
    path.write_bytes(b"epochs = 3\r\n\r\n[[output]]\r\npath = 'a.gif'\r\nfps = 0\r\n")
    with pytest.raises(InputError, match=r"t\.toml, line 5: frame rate 0"):
        load(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('title = """\nepochs = 3\n"""\nepochs = 0\n', 4),
        ("title = '''\n[[output]]\nfps = 3\n'''\n[[output]]\npath = 'a.gif'\nfps = 0\n", 7),
        ("views = [\n  'fit',  # fps = 3\n]\n'fps' = 0\n", 4),
        ("[[output]]\npath = 'a.gif'\nfps = 3\n[[output]]\npath = 'b.gif'\nfps = 0\n", 6),
    ],
)
def test_the_line_of_a_mistake_is_not_that_of_the_same_words_elsewhere(text, line) -> None:
    with pytest.raises(
        InputError, match=rf"^t\.toml, line {line}: (number of epochs|frame rate) 0"
    ):
        loads(text, "t.toml")


def test_an_option_that_is_wrong_is_not_blamed_on_the_file() -> None:
    with pytest.raises(InputError, match=r"^number of epochs 0 is out of bounds"):
        loads("epochs = 3\n", "t.toml", overrides={"epochs": 0})
