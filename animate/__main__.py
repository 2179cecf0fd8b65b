"""Makes ``python -m animate`` the command line."""

from animate.cli import run

if __name__ == "__main__":
    run()
