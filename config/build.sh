#!/usr/bin/env bash
# Configures and builds one preset: config/build.sh PRESET [TARGET…]
#
# ROLLWATCH_PAGE=OFF in the environment builds without the page's script, for which packages of npm are fetched.
#
# On a terminal ninja's own status line shows the progress; in a pipe about one line in twenty is
# kept, with every warning and error, so that a log stays readable and a watcher sees life.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=$1
shift
targets=()
(($# == 0)) || targets=(--target "$@")

log=build/$preset-configure.log
mkdir -p build
cmake --preset "$preset" ${ROLLWATCH_PAGE:+"-DROLLWATCH_PAGE=$ROLLWATCH_PAGE"} >"$log" 2>&1 || {
  cat "$log" >&2
  echo "build: configuring '$preset' failed, see above (also in $log)" >&2
  exit 1
}

# Sanitizers lay out their shadow memory by hand and some kernels randomise too far for that; the
# build runs test binaries too, to list their tests.
runner=()
case $preset in
  asan | tsan) ! setarch -R true 2>/dev/null || runner=(setarch -R) ;;
esac

export NINJA_STATUS="[%f/%t, %es] "
build=("${runner[@]}" cmake --build "build/$preset" "${targets[@]}")
if [[ -t 1 ]]; then
  "${build[@]}"
else
  # Line by line, as it comes: Debian's awk reads a pipe in blocks.
  shown=0 last=''
  "${build[@]}" | {
    while IFS= read -r line; do
      if [[ $line == \[* && $line != *FAILED* ]]; then
        last=$line
        ((shown++ % 20 == 0)) || continue
        last=''
      fi
      printf '%s\n' "$line"
    done
    [[ -z $last ]] || printf '%s\n' "$last"
  }
fi
