#!/usr/bin/env bash
# Puts the judges of package-lock.json into a folder of the build: install.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../../config/npm.sh" "$here" "$1"
