#!/bin/sh
# Installs what is missing, builds, runs every test. Needs no question answered; ends with ctest's summary.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
. scripts/install.sh

need build test
if ! cmp -s tests/oracle/requirements.txt build/venv/requirements.txt; then
  echo "python packages: $(grep -v '^#' tests/oracle/requirements.txt | tr '\n' ' ')into build/venv"
  rm -rf build/venv
  python3 -m venv build/venv
  build/venv/bin/python3 -m pip install -q --no-input -r tests/oracle/requirements.txt
  cp tests/oracle/requirements.txt build/venv/requirements.txt
fi

cmake --preset release -DMN_TESTS=ON -DMN_WERROR="${MN_WERROR:-OFF}" -DMN_PYTHON="$PWD/build/venv/bin/python3" >build/configure.log 2>&1 ||
  { cat build/configure.log >&2; exit 1; }
cmake --build --preset release >build/build.log 2>&1 || { tail -60 build/build.log >&2; exit 1; }
exec ctest --test-dir build/release --output-on-failure -j2 "$@" </dev/null
