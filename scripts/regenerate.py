"""
Make the README's gallery again, and compare it with the files in outputs/gallery.

Fails if a file is missing or differs. Another kind of processor may write other bytes: then pixels
are compared (for an SVG, rounded numbers). With --update, new files replace those that differ.
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
    """Make the gallery in a temporary folder, compare, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="replace the files that differ")
    update = parser.parse_args().update
    recipe = named("animate:gallery")
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make(recipe)
        for part in recipe.parts:
            old, new = ROOT / part.path, Path(part.path)
            if old.exists() and checksum(old) == checksum(new):
                print(f"{part.path}: the same bytes")
                continue
            how = difference(new, old) if old.exists() else "missing"
            if how is None:
                print(f"{part.path}: the same pixels; another processor or version made the bytes")
                continue
            print(f"{part.path}: {how}")
            differing += 1
            if update:
                old.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(new, old)
    if differing and update:
        print(f"{differing} files replaced")
    elif differing:
        print(f"{differing} files differ; --update replaces them", file=sys.stderr)
    return bool(differing) and not update


if __name__ == "__main__":
    sys.exit(main())
