#!/usr/bin/env bash
# Installs the Debian 12 packages this project needs, and only those that are missing.
#
#   config/packages.sh build          what compiling takes
#   config/packages.sh demo           that, and what ./quickstart runs
#   config/packages.sh check          that, and what ./check runs
#   config/packages.sh --list check   only name them
#
# Debian starts and enables a server the moment it is installed. Nobody asked this script for a
# running Prometheus on port 9090, so: for the time of the install a policy-rc.d of ours forbids
# every start, and afterwards what the install enabled is disabled again. An existing policy-rc.d is
# moved aside and put back, also after Ctrl-C. docs/dependencies.md says what each package is for.
set -euo pipefail

build_packages=(
  g++ cmake ninja-build ccache mold pkg-config git
  libboost1.81-dev libssl-dev libcurl4-openssl-dev libsqlite3-dev libpq-dev zlib1g-dev
  libtomlplusplus-dev nlohmann-json3-dev libspdlog-dev libfmt-dev libcli11-dev prometheus-cpp-dev
  libgtest-dev libgmock-dev
  npm
)
demo_packages=(prometheus haproxy python3)
check_packages=(
  clang-format clang-tidy shellcheck victoria-metrics prometheus-alertmanager sqlite3 postgresql curl jq
  iproute2 libbenchmark-dev valgrind tmux openssl chromium
)

new=() # the packages this run brings in, with what they need
readonly policy=/usr/sbin/policy-rc.d
readonly policy_aside=/usr/sbin/policy-rc.d.before-rollwatch
self=$(readlink -f "${BASH_SOURCE[0]}")

say() { printf 'packages: %s\n' "$*"; }
die() {
  printf 'packages: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '          %s\n' "$@" >&2
  exit 1
}

wanted_for() {
  case "$1" in
    build) printf '%s\n' "${build_packages[@]}" ;;
    demo) printf '%s\n' "${build_packages[@]}" "${demo_packages[@]}" ;;
    check) printf '%s\n' "${build_packages[@]}" "${demo_packages[@]}" "${check_packages[@]}" ;;
    *) die "'$1' is not one of build, demo, check" ;;
  esac
}

# npm may have come with a Node from elsewhere, which Debian's would exclude.
installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed* ]] ||
    { [[ $1 == npm ]] && command -v npm node >/dev/null; }
}

refuse_other_systems() {
  local id='' version='' name='this system'
  if [[ -r /etc/os-release ]]; then
    # shellcheck source=/dev/null
    read -r id version name < <(. /etc/os-release && echo "${ID:-?} ${VERSION_ID:-?} ${PRETTY_NAME:-}")
  fi
  [[ $id == debian && $version == 12 ]] && return
  die "this is $name, and only Debian 12 is supported." \
    "Use a Debian 12 machine or container, or install these yourself and give --no-install:" \
    "$*"
}

# Boost's -dev packages of two versions exclude each other, and apt would silently remove the other.
refuse_other_boost() {
  local other
  other=$({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'libboost*-dev' 2>/dev/null || true; } |
    awk '$1 == "installed" && $2 !~ /1\.81/ {print $2}')
  [[ -z $other ]] || die "Boost 1.81 excludes the Boost 1.74 development packages, which are installed." \
    "Installing it would remove:" "${other//$'\n'/ }" "and whatever needs them." \
    "If you can do without: sudo apt-get install libboost1.81-dev, then run this again." \
    "Otherwise build in a Debian 12 container; nothing was changed."
}

put_policy_back() {
  if [[ -e $policy_aside || -L $policy_aside ]]; then
    mv -f "$policy_aside" "$policy"
  elif [[ -f $policy ]] && grep -qs 'put here by Rollwatch' "$policy"; then
    rm -f "$policy"
  fi
}

# The units a package ships, by name.
units_of() { dpkg -L "$1" 2>/dev/null | sed -nE 's,^(/usr)?/lib/systemd/system/([^/@]+\.(service|socket|timer|path))$,\2,p'; }

# Where enabling a unit leaves its mark, whether or not systemd is running.
enabled() {
  [[ -n $(find /etc/systemd/system -mindepth 2 -name "$1" -print -quit 2>/dev/null) ]] ||
    [[ -n $(find /etc/rc[2-5].d -name "S[0-9][0-9]${1%.*}" -print -quit 2>/dev/null) ]]
}

disable() {
  if command -v systemctl >/dev/null; then
    systemctl disable "$1" >/dev/null 2>&1 || true
  else
    deb-systemd-helper disable "$1" >/dev/null 2>&1 || true
    [[ ! -e /etc/init.d/${1%.*} ]] || update-rc.d "${1%.*}" disable >/dev/null 2>&1 || true
  fi
}

keep_services_off() {
  local package unit
  for package in "${new[@]}"; do
    for unit in $(units_of "$package"); do
      enabled "$unit" || continue
      disable "$unit"
      ! enabled "$unit" || die "$unit came with $package and could not be disabled." \
        "Do it by hand: systemctl disable $unit"
      say "installed $package; its $unit is neither started nor enabled"
    done
  done
}

# Ends with every way out of this script, Ctrl-C in the middle of the install included.
leave_no_service_behind() {
  put_policy_back
  keep_services_off
}

forbid_service_starts() {
  put_policy_back # what a run that was killed may have left
  trap leave_no_service_behind EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if [[ -e $policy || -L $policy ]]; then mv "$policy" "$policy_aside"; fi
  printf '#!/bin/sh\n# put here by Rollwatch while it installs packages: no service may start\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

install_missing() {
  local -a gone
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update || say "could not refresh the package lists; trying with those that are here"

  local plan
  plan=$("${apt[@]}" -s install "$@") || die "apt cannot install these: $*" "It says why above."
  mapfile -t gone < <(awk '$1 == "Remv" {print $2}' <<<"$plan")
  ((${#gone[@]} == 0)) || die "installing these would remove ${gone[*]}." \
    "Nothing was changed. If you can do without, remove them yourself and run this again."
  mapfile -t new < <(awk '$1 == "Inst" && $3 !~ /^\[/ {print $2}' <<<"$plan")

  exec 9</usr/sbin # two of us at once would lose the policy that was there before
  flock 9
  forbid_service_starts
  say "installing $# packages (${#new[@]} with what they need)"
  "${apt[@]}" -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold install "$@" \
    </dev/null >/dev/null 2> >(grep -vE '^(invoke-rc\.d|debconf):' >&2) 9>&- ||
    die "apt-get failed; it says why above"
}

main() {
  local only_list=0 list
  local -a wanted missing=()
  [[ ${1:-} != --list ]] || { only_list=1; shift; }
  list=$(wanted_for "${1:-demo}")
  mapfile -t wanted <<<"$list"
  if ((only_list)); then
    echo "$list"
    return
  fi

  command -v dpkg-query >/dev/null || refuse_other_systems "${wanted[@]}"
  local package
  for package in "${wanted[@]}"; do installed "$package" || missing+=("$package"); done
  if ((${#missing[@]} == 0)); then
    say "all ${#wanted[@]} are here"
    return
  fi

  refuse_other_systems "${missing[@]}"
  refuse_other_boost
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "${#missing[@]} packages are missing and there is no sudo here." \
      "As root: $self ${1:-demo}"
    say "${#missing[@]} packages are missing; sudo installs them"
    exec sudo "$self" "${1:-demo}"
  fi
  install_missing "${missing[@]}"
}

main "$@"
