#!/bin/sh
# Makes images/icon.png, which the marketplace wants, from images/icon.svg. Needs rsvg-convert
# (Debian's librsvg2-bin).
set -eu
cd "$(dirname "$0")/.."
rsvg-convert --width 256 --height 256 images/icon.svg --output images/icon.png
