#!/bin/sh
# Builds the native part of engine-mlx: fetches the pinned MLX wheel with pip, compiles the shim against it and
# lays both out under TARGET/classes/native/<os>-<arch>/ with a manifest, so that the jar carries all it needs.
# Usage: build.sh TARGET     (Maven calls it; nothing happens when no input has changed)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
target=$(cd "$1" && pwd)

die() {
  echo "engine-mlx: $1" >&2
  exit 1
}

digest() { # sha256 of standard input or of the files given, one line each
  if command -v sha256sum >/dev/null 2>&1; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

case $(uname -s)-$(uname -m) in
  Linux-x86_64 | Linux-amd64) platform=linux-x86_64 ;;
  Linux-aarch64 | Linux-arm64) platform=linux-aarch64 ;;
  Darwin-arm64) platform=macos-aarch64 ;;
  *) die "MLX has no wheel for $(uname -s) on $(uname -m); Linux on x86_64 or aarch64 and macOS on Apple silicon work." ;;
esac
case $platform in
  macos-*) shim=libvllmmlx.dylib rpath='@loader_path/mlx/lib' soflags="-dynamiclib -install_name @rpath/libvllmmlx.dylib" ;;
  *) shim=libvllmmlx.so rpath='$ORIGIN/mlx/lib' soflags="-shared -Wl,--no-undefined -Wl,-soname,libvllmmlx.so" ;;
esac
requirements=$here/requirements/mlx-$platform.txt

# The compiler: $CXX, else what is installed.
cxx=${CXX:-}
if [ -z "$cxx" ]; then
  for candidate in g++ clang++ c++; do
    if command -v "$candidate" >/dev/null 2>&1; then cxx=$candidate; break; fi
  done
fi
[ -n "$cxx" ] || die "no C++ compiler found. Install one (Debian: apt install g++; macOS: xcode-select --install) or set CXX."
compiler=$("$cxx" --version 2>/dev/null | head -n 1) || die "the C++ compiler '$cxx' does not run."

flags="-std=c++20 -O3 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter -Wno-psabi -pthread"
sources=$(cd "$here" && find . -name '*.cpp' | LC_ALL=C sort)
headers=$(cd "$here" && find . -name '*.h' -o -name '*.inc' | LC_ALL=C sort)

# Nothing to do where the stamp holds the hash of every input.
inputs=$(cd "$here" && { echo "$compiler $flags"; digest build.sh "$requirements" $sources $headers; } | digest | cut -d ' ' -f 1)
out=$target/classes/native/$platform
stamp=$target/native/stamp
if [ -f "$out/manifest.txt" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$inputs" ]; then
  exit 0
fi
rm -f "$stamp"

# The wheel, by pip, checked against the pinned hashes; unpacked once for each content of the requirements file.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vllm-mlx/build
wheel=$cache/mlx-$platform-$(digest <"$requirements" | cut -c 1-16)
if [ ! -d "$wheel" ]; then
  python=${PYTHON:-python3}
  command -v "$python" >/dev/null 2>&1 ||
    die "the build fetches MLX with pip and found no '$python'. Install Python 3 (Debian: apt install python3 python3-pip) or set PYTHON."
  "$python" -m pip --version >/dev/null 2>&1 ||
    die "'$python' has no pip. Install it (Debian: apt install python3-pip)."
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "engine-mlx: fetching $(sed -n 's/^\(mlx[^ ]*\) .*/\1/p' "$requirements") with pip" >&2
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --dest "$work/wheel" -r "$requirements" >&2 ||
    die "pip could not fetch the wheel of $requirements (glibc 2.35 or macOS 14 is the oldest system it is made for)."
  "$python" -m zipfile -e "$work"/wheel/*.whl "$work/unpacked"
  # Another build may have been faster; either copy is the same.
  mv "$work/unpacked" "$wheel" 2>/dev/null || [ -d "$wheel/mlx" ] || die "cannot write $wheel"
  rm -rf "$work"
  trap - EXIT
fi

# One object for each source, compiled again only where it, a header or the compiler changed.
objects=$target/native/objects
mkdir -p "$objects"
common=$(cd "$here" && { echo "$compiler $flags $wheel"; digest $headers; } | digest | cut -c 1-16)
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
pending=
for source in $sources; do
  case $source in # kernels for one instruction set each; chosen at run time
    *_avx512vnni.cpp) extra="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi -mavx512vnni -mbmi2 -mfma -mf16c -mavx2" only=linux-x86_64 ;;
    *_avx512.cpp) extra="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mf16c -mavx2" only=linux-x86_64 ;;
    *_avx2.cpp) extra="-mavx2 -mfma -mf16c" only=linux-x86_64 ;;
    *_neon.cpp) extra= only=linux-aarch64,macos-aarch64 ;;
    *_neondot.cpp) extra="-march=armv8.2-a+dotprod" only=linux-aarch64,macos-aarch64 ;;
    *) extra= only= ;;
  esac
  case ,$only, in ,, | *,$platform,*) ;; *) continue ;; esac
  object=$objects/$(echo "$source" | sed 's|^\./||; s|/|-|g; s|\.cpp$||')-$common-$(digest <"$here/$source" | cut -c 1-16).o
  linked="${linked:-} $object"
  [ -f "$object" ] || pending="$pending$cxx $flags $extra -isystem $wheel/mlx/include -I $here -c $here/$source -o $object.tmp && mv $object.tmp $object
"
done
printf '%s' "$pending" | tr '\n' '\0' | xargs -0 -P "$jobs" -I LINE sh -c LINE || die "the shim does not compile with $compiler."

rm -rf "$out"
mkdir -p "$out/mlx/lib"
cp "$wheel"/mlx/lib/lib* "$out/mlx/lib/"
[ ! -f "$wheel/mlx/lib/mlx.metallib" ] || cp "$wheel/mlx/lib/mlx.metallib" "$out/mlx/lib/"
[ ! -d "$wheel/mlx_cpu.libs" ] || cp -R "$wheel/mlx_cpu.libs" "$out/"
cp "$wheel"/*.dist-info/licenses/LICENSE "$out/mlx/LICENSE"
# shellcheck disable=SC2086
"$cxx" $soflags -pthread $linked -L "$wheel/mlx/lib" -lmlx -Wl,-rpath,"$rpath" -o "$out/$shim" || die "the shim does not link."

# What the jar carries: sha256, size and path of every file.
(cd "$out" && find . -type f ! -name manifest.txt | sed 's|^\./||' | LC_ALL=C sort | while read -r file; do
  echo "$(digest <"$file" | cut -d ' ' -f 1) $(wc -c <"$file" | tr -d ' ') $file"
done) >"$target/native/manifest.txt" # not where find would meet it
mv "$target/native/manifest.txt" "$out/manifest.txt"
for object in "$objects"/*.o; do # objects of former inputs
  case " $linked " in *" $object "*) ;; *) rm -f "$object" ;; esac
done
echo "$inputs" >"$stamp"
