#!/bin/sh
# Builds the native part of text: compiles the crate with cargo and lays the library out under
# TARGET/classes/native/grammar/<os>-<arch>/ with its checksum, so that the jar carries it.
# Usage: build.sh TARGET     (Maven calls it; nothing happens when no input has changed)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
target=$(cd "$1" && pwd)

die() {
  echo "text: $1" >&2
  exit 1
}

digest() { # sha256 of standard input or of the files given, one line each
  if command -v sha256sum >/dev/null 2>&1; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

case $(uname -s)-$(uname -m) in
  Linux-x86_64 | Linux-amd64) platform=linux-x86_64 ;;
  Linux-aarch64 | Linux-arm64) platform=linux-aarch64 ;;
  Darwin-arm64) platform=macos-aarch64 ;;
  Darwin-x86_64) platform=macos-x86_64 ;;
  *) die "no build for $(uname -s) on $(uname -m) is described in $0." ;;
esac
case $platform in
  macos-*) library=libvllmmlxgrammar.dylib ;;
  *) library=libvllmmlxgrammar.so ;;
esac

inputs=$(cd "$here" && digest build.sh Cargo.toml Cargo.lock src/*.rs vendor/* | digest | cut -d ' ' -f 1)
out=$target/classes/native/grammar/$platform
[ ! -f "$out/$library" ] || [ ! -f "$out/inputs" ] || [ "$(cat "$out/inputs")" != "$inputs" ] || exit 0

# Built once for each content of the sources; a clean checkout of the same sources copies it.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vllm-mlx/build
built=$cache/grammar-$platform-$(echo "$inputs" | cut -c 1-16)
if [ ! -f "$built/$library" ]; then
  cargo=${CARGO:-cargo}
  if ! command -v "$cargo" >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then cargo=$HOME/.cargo/bin/cargo; fi
  command -v "$cargo" >/dev/null 2>&1 ||
    die "the build compiles a Rust library and found no '$cargo'. Install Rust 1.87 or newer with cargo (rustup, or your system's packages) or set CARGO."
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/grammar.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "text: compiling $library with $("$cargo" --version) (the first time takes two minutes)" >&2
  "$cargo" vendor --locked --quiet --manifest-path "$here/Cargo.toml" "$work/vendor" >/dev/null ||
    die "cargo could not get what $here/Cargo.lock names (see above)."
  command -v patch >/dev/null 2>&1 || die "the build changes lines of what it compiles and found no 'patch'. Install it (your system's packages)."
  cp "$here/vendor/first_bytes.rs" "$work/vendor/derivre/src/"
  cp "$here/vendor/budget.rs" "$work/vendor/llguidance/src/"
  patch -p1 -s -d "$work/vendor" <"$here/vendor/changes.patch" ||
    die "what $here/Cargo.lock names is not what vendor/changes.patch was made for."
  for crate in llguidance derivre; do
    sed -i.all 's/"files":{[^}]*}/"files":{}/' "$work/vendor/$crate/.cargo-checksum.json"
  done
  "$cargo" build --release --locked --offline --quiet --manifest-path "$here/Cargo.toml" --target-dir "$work/target" \
    --config "source.crates-io.replace-with='vendored'" --config "source.vendored.directory='$work/vendor'" >&2 ||
    die "cargo could not build $here (see above)."
  mkdir "$work/built"
  cp "$work/target/release/$library" "$work/built/"
  # Another build may have been faster; either copy is the same.
  mv "$work/built" "$built" 2>/dev/null || [ -f "$built/$library" ] || die "cannot write $built"
  rm -rf "$work"
  trap - EXIT
fi

rm -rf "$out"
mkdir -p "$out"
cp "$built/$library" "$out/$library"
digest <"$out/$library" | cut -d ' ' -f 1 >"$out/sha256"
echo "$inputs" >"$out/inputs"
