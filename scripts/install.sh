# Read by demo.sh and test.sh: need GROUP... installs the packages of those groups, naming each before.
# Without root it says which are missing and stops. SPDX-License-Identifier: Apache-2.0
need() {
  missing=
  for group in "$@"; do
    for package in $(sed -n "s/^$group  *\([^ ]*\).*/\1/p" scripts/packages); do
      state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=absent
      [ "$state" = installed ] || missing="$missing $package"
    done
  done
  if [ -z "$missing" ]; then
    echo "packages: all there, nothing to install"
    return
  fi
  echo "packages to install:$missing"
  if [ "$(id -u)" != 0 ]; then
    echo "not root: install them first, then run this again:  apt-get install$missing" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing </dev/null >/tmp/micronets-apt.log 2>&1 ||
    { tail -20 /tmp/micronets-apt.log >&2; exit 1; }
}
