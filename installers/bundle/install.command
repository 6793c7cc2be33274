#!/bin/sh
# For a double click in the Finder: runs install.sh in a terminal.
cd -- "$(dirname -- "$0")" && ./install.sh "$@"
printf 'Press Return to close this window. '
read -r _
