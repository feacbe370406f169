"""Runs the command line as `python -m sirdab`."""

import sys

from sirdab.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
