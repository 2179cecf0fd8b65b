"""
Makes the README's gallery again, and compares it with what is there.

Fails if a file is missing or differs. Where another kind of processor makes other bytes, pixels are
compared, and that is said. With --update, what differs is taken over.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from animate.recipe import make
from animate.recipe.toml import named
from animate.report import checksum
from animate.verify import SAME, difference

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
            how = compared(there, now)
            print(f"{part.path}: {how}")
            if how.startswith(("the same", SAME)):
                continue
            lost += 1
            if update:
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(now, there)
    if lost and update:
        print(f"{lost} files taken over")
    elif lost:
        print(f"{lost} files differ; --update takes over what is made now", file=sys.stderr)
    return bool(lost) and not update


def compared(there: Path, now: Path) -> str:
    """Return in words how the file made now differs from the one that is there."""
    if not there.exists():
        return "missing"
    if checksum(there) == checksum(now):
        return "the same bytes"
    how = difference(now, there)
    return f"{SAME}, in other bytes: another kind of processor or version" if how == SAME else how


if __name__ == "__main__":
    sys.exit(main())
