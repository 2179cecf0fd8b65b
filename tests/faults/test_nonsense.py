"""Any command line and any recipe end with 0, 1 or 2 and a message; none shows a bug."""

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from inside import command, names

VALUES = """
0 1 -1 0.1 1.01 1e400 1e-300 nan -inf 1.5 10000 1000000000000 end converged 16x16 640x360 0x0 720p
dark none fit bowl low 2MB 1kB a.mp4 A.GIF a.png a.svg a.html a.json a/ - -- .. / /dev/null a.mp4/
no/a.gif 100%d.gif a:b.mp4 ~ $x <script> x.mplstyle x.toml article slides x md picture
"""
LINES = """
lrs = [0.1, 0.7]|lrs = [[0.1]]|epochs = 1e400|seed = true|points = 9999999999999999999999|views = []
size = '640x360'|theme = '../x'|title = "\\u0000"|at = 1979-05-27|fps = nan|hold = -1|max-size = {}
output = 'a.gif'|path = 'a.gif'|colour = ''|[[output]]|[output]|path = 'a.gif'|[[[|=|# a comment
"""


@settings(max_examples=200)
@given(st.data())
def test_any_command_line_is_answered(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        options = sorted(set(re.findall(r"--[a-z-]+", command(Path(name), "--help").out)))
        word = st.sampled_from(VALUES.split()) | st.text(
            st.characters(exclude_characters="\0"), max_size=12
        )
        part = st.tuples(st.sampled_from([*options, "-o", ""]), st.lists(word, max_size=3))
        parts = data.draw(st.lists(part, max_size=4))
        check(Path(name), *(text for option, words in parts for text in (option, *words)))


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(LINES.strip().replace("\n", "|").split("|")))
    .map("\n".join)
    .map(str.encode)
    | st.binary(max_size=60)
)
def test_any_recipe_is_answered(recipe: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "r.toml").write_bytes(recipe)
        check(Path(name), "r.toml")


def check(folder: Path, *arguments: str) -> None:
    before = names(folder)
    ended = command(folder, "--dry-run", *arguments)
    assert ended.code in (0, 1, 2)
    assert "a bug" not in ended.err
    assert ended.err.strip() or not ended.code
    assert names(folder) == before
