#!/bin/sh
# Installs F2HDR from this folder, without network, root or compiler.
#   ./install.sh [--to FOLDER] [--uninstall]
# The default folder is ~/.local/share/f2hdr (macOS: ~/Library/Application Support/f2hdr). The command is
# FOLDER/bin/f2hdr; a link to it is made in ~/.local/bin. Run it again from a newer bundle to upgrade.
# FOLDER/uninstall.sh removes the installation.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case $(uname -s) in
  Darwin) target="$HOME/Library/Application Support/f2hdr" ;;
  *) target="${XDG_DATA_HOME:-$HOME/.local/share}/f2hdr" ;;
esac
link="$HOME/.local/bin/f2hdr"
uninstall=no
if [ -f "$here/F2HDR_BUNDLE" ]; then target=$here uninstall=yes; fi # this is uninstall.sh of an installation

fail() { printf 'error: %s\n' "$1" >&2; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --to) [ $# -ge 2 ] || fail "--to needs a folder."; target=$2; shift 2 ;;
    --uninstall) uninstall=yes; shift ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "There is no option $1; see --help." ;;
  esac
done
case $target in /*) ;; *) target=$PWD/$target ;; esac
while [ "$target" != "${target%/}" ]; do target=${target%/}; done # as a shell's completion writes folders

if [ "$uninstall" = yes ]; then
  [ -f "$target/F2HDR_BUNDLE" ] || fail "F2HDR is not installed in $target; name its folder with --to."
  if [ -L "$link" ] && [ "$link" -ef "$target/bin/f2hdr" ]; then
    rm "$link"
    rmdir "$HOME/.local/bin" 2>/dev/null || true # the folder created for it, if it is empty
  fi
  rm -rf "$target"
  echo "removed $target"
  echo "Kept: renders, imported weights, the flow cache and the log. They are in the user's data, cache and state"
  echo "folders (Linux: ~/.local/share, ~/.cache, ~/.local/state; macOS: ~/Library) under the name f2hdr."
  echo "Host files are removed by: f2hdr install nuke --uninstall (before this step), resolve and ofx likewise."
  exit 0
fi

if [ -e "$target" ] && [ ! -f "$target/F2HDR_BUNDLE" ] && [ -n "$(ls -A "$target")" ]; then
  fail "$target exists and was not made by this installer; choose another folder with --to."
fi
echo "checking the files"
if command -v sha256sum >/dev/null; then
  (cd "$here" && sha256sum --quiet -c SHA256SUMS) || fail "The bundle is damaged; copy or download it again."
elif command -v shasum >/dev/null; then
  (cd "$here" && shasum -a 256 -c SHA256SUMS >/dev/null) || fail "The bundle is damaged; copy or download it again."
fi

# Everything is prepared in a folder next to the target, then renamed: an interrupted installation leaves the old one.
work="$target.installing"
part="$work/new"
finish() {
  if [ ! -e "$target" ] && [ -e "$work/old" ]; then mv "$work/old" "$target"; fi
  rm -rf "$work"
}
mkdir -p "$(dirname -- "$target")"
if ! mkdir "$work" 2>/dev/null; then
  [ -f "$work/process" ] || fail "$work exists and was not made by this installer; move it."
  process=$(cat "$work/process")
  if kill -0 "$process" 2>/dev/null; then fail "Process $process is installing to $target; wait for it, or end it."; fi
  finish
  mkdir "$work"
fi
trap finish EXIT
trap 'exit 130' INT TERM HUP
echo $$ > "$work/process"
mkdir -p "$part/bin"
cp -R "$here/python" "$part/python"
run() { PIP_CONFIG_FILE=/dev/null LD_LIBRARY_PATH="$part/python/lib/shared${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$part/python/bin/python3" -I "$@"; }
echo "installing F2HDR $(cat "$here/VERSION")"
pip=$(ls "$here"/wheels/pip-*.whl)
run -c "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = 'pip'; runpy.run_module('pip', run_name='__main__')" \
  "$pip" --isolated install --quiet --no-index --no-cache-dir --no-warn-script-location --disable-pip-version-check \
  --find-links "$here/wheels" "f2hdr[$(cat "$here/EXTRAS")]"
rm -f "$part/python/bin/f2hdr"
cat > "$part/bin/f2hdr" <<'LAUNCHER'
#!/bin/sh
# Starts the F2HDR of this folder, also after the folder was moved.
self=$0
while [ -L "$self" ]; do
  next=$(readlink "$self")
  case $next in /*) self=$next ;; *) self=$(dirname -- "$self")/$next ;; esac
done
base=$(CDPATH='' cd -- "$(dirname -- "$self")/.." && pwd)
if [ -d "$base/python/lib/shared" ]; then
  LD_LIBRARY_PATH="$base/python/lib/shared${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export LD_LIBRARY_PATH
fi
exec "$base/python/bin/python3" -I -c \
  "import sys; sys.argv[0] = sys.argv.pop(1); from f2hdr_backend.cli.main import main; main()" "$base/bin/f2hdr" "$@"
LAUNCHER
chmod +x "$part/bin/f2hdr"
cp -R "$here/licenses" "$part/licenses"
cp "$here/LICENSE" "$here/VERSION" "$part/"
cp "$here/install.sh" "$part/uninstall.sh"
echo "F2HDR was installed here by its bundle." > "$part/F2HDR_BUNDLE"
[ "$("$part/bin/f2hdr" --version)" = "$(cat "$here/VERSION")" ] || fail "The installed command does not start."

if [ -e "$target" ]; then mv "$target" "$work/old"; fi
mv "$part" "$target"
if [ ! -e "$link" ] || [ -L "$link" ]; then
  mkdir -p "$HOME/.local/bin"
  ln -sf "$target/bin/f2hdr" "$link"
fi
echo "installed $target/bin/f2hdr"
case ":$PATH:" in *":$HOME/.local/bin:"*) ;; *) echo "Add $HOME/.local/bin to PATH to type f2hdr." ;; esac
echo "Next: f2hdr doctor, f2hdr demo, f2hdr install nuke"
