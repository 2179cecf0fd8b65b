"""
Makes the README's gallery again, and compares it with what is there.

Fails if a file is missing or differs. Where another kind of processor makes other bytes, pixels are
compared (of an SVG, rounded numbers), and that is said. With --update, what differs is taken over.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from animate.recipe.file_difference import difference
from animate.recipe.making import make
from animate.recipe.report import checksum
from animate.recipe.toml import named

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Make the gallery somewhere else, compare, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="take over what differs")
    update = parser.parse_args().update
    recipe = named("animate:gallery")
    lost = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make(recipe)
        for part in recipe.parts:
            there, now = ROOT / part.path, Path(part.path)
            if there.exists() and checksum(there) == checksum(now):
                print(f"{part.path}: the same bytes")
                continue
            how = difference(now, there) if there.exists() else "missing"
            if how is None:
                print(f"{part.path}: the same pixels; another processor or version made the bytes")
                continue
            print(f"{part.path}: {how}")
            lost += 1
            if update:
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(now, there)
    if lost and update:
        print(f"{lost} files taken over")
    elif lost:
        print(f"{lost} files differ; --update takes over what is made now", file=sys.stderr)
    return bool(lost) and not update


if __name__ == "__main__":
    sys.exit(main())
