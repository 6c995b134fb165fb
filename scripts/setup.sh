#!/usr/bin/env bash
# Brings a machine that has Node and npm to the point where everything here runs; says nothing when nothing is missing.
# Everything goes to stderr, because scripts/demo --json owns stdout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly NODE_MAJOR_MIN=20
# The packages whose install scripts we need; package.json allows the same ones.
readonly NATIVE=(pkcs11js classic-level)
readonly STAMP=node_modules/.conclave-setup

log=''
say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

cleanup() { if [ -n "$log" ]; then rm -f "$log"; fi; }
trap cleanup EXIT

# logged WHAT COMMAND...: the output goes to a file; when the command fails, what it says about errors is shown.
logged() {
  local what=$1 started=$SECONDS
  shift
  if [ -z "$log" ]; then log=$(mktemp "${TMPDIR:-/tmp}/conclave-setup.XXXXXX"); fi
  say "$what ..."
  if ! "$@" >"$log" 2>&1 </dev/null; then
    { grep -i -m 20 error "$log" || tail -n 20 "$log"; } >&2
    local kept=$log
    log='' # kept for reading
    say "failed: $* (whole log: $kept)"
    return 1
  fi
  say "$what: done in $((SECONDS - started)) s"
}

check_node() {
  command -v node >/dev/null || fail "Node.js is missing: install Node $NODE_MAJOR_MIN or newer with npm (https://nodejs.org) and run this again"
  local version
  version=$(node -p process.versions.node) || fail 'node does not run'
  if [ "${version%%.*}" -lt "$NODE_MAJOR_MIN" ]; then
    fail "Node $version is too old: install Node $NODE_MAJOR_MIN or newer and run this again"
  fi
  command -v npm >/dev/null || fail 'npm is missing: install npm, which normally comes with Node, and run this again'
}

# The same places in which packages/vault looks for the module.
has_softhsm() {
  local dir
  for dir in /usr/lib/softhsm /usr/lib64/softhsm /usr/lib64/pkcs11 /usr/local/lib/softhsm /opt/homebrew/lib/softhsm; do
    if [ -e "$dir/libsofthsm2.so" ]; then return 0; fi
  done
  return 1
}

# Prints the system packages that are still missing, in the words of the given package manager.
missing_packages() {
  local manager=$1 wanted=()
  if ! has_softhsm; then
    if [ "$manager" = brew ]; then wanted+=(softhsm); else wanted+=(libsofthsm2); fi
  fi
  if ! natives_load; then
    if [ "$manager" != brew ]; then
      command -v g++ >/dev/null || wanted+=(g++)
      command -v make >/dev/null || wanted+=(make)
    fi
    if ! command -v python3 >/dev/null; then
      if [ "$manager" = brew ]; then wanted+=(python); else wanted+=(python3); fi
    fi
  fi
  echo "${wanted[*]-}"
}

install_with_apt() {
  local packages command
  packages=$(missing_packages apt)
  if [ -z "$packages" ]; then return 0; fi
  command="apt-get install -y --no-install-recommends $packages"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      fail "missing: $packages. I may not install it; run: sudo $command"
    fi
    as_root=(sudo -n)
  fi
  # An unreachable extra source must not stop us; the installation itself decides.
  logged 'refreshing the package lists (apt-get)' ${as_root[@]+"${as_root[@]}"} apt-get -o DPkg::Lock::Timeout=300 update || true
  # shellcheck disable=SC2086 # a list of package names
  logged "installing $packages (apt-get)" ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $packages || fail "could not install $packages; run: sudo $command"
}

install_with_brew() {
  if ! natives_load && ! xcode-select -p >/dev/null 2>&1; then
    fail 'the C++ toolchain is missing; run: xcode-select --install'
  fi
  local packages
  packages=$(missing_packages brew)
  if [ -z "$packages" ]; then return 0; fi
  command -v brew >/dev/null || fail "missing: $packages. Install Homebrew (https://brew.sh) and run: brew install $packages"
  # shellcheck disable=SC2086 # a list of package names
  logged "installing $packages (brew)" env HOMEBREW_NO_AUTO_UPDATE=1 brew install $packages || fail "could not install $packages; run: brew install $packages"
}

install_system_packages() {
  if [ "$(uname -s)" = Darwin ]; then
    install_with_brew
  elif command -v apt-get >/dev/null; then
    install_with_apt
  else
    local packages
    packages=$(missing_packages other)
    if [ -n "$packages" ]; then fail "missing: $packages (Debian names). Install them with this system's package manager and run this again"; fi
  fi
  has_softhsm || fail 'SoftHSM2 was installed but libsofthsm2.so is in none of the usual places'
}

fingerprint() { echo "$(cksum <package-lock.json) $(uname -sm)"; }

# Someone may have run npm ci by hand: npm's own record of what it installed then agrees with the lock file.
installed_by_npm() {
  [ -f node_modules/.package-lock.json ] && node -e '
    const packages = (path) => JSON.parse(fs.readFileSync(path, "utf8")).packages
    const have = packages("node_modules/.package-lock.json")
    const differs = ([path, entry]) => path.startsWith("node_modules/") && !entry.link && !entry.optional && have[path]?.version !== entry.version
    process.exit(Object.entries(packages("package-lock.json")).some(differs) ? 1 : 0)' 2>/dev/null
}

natives_load() {
  [ -x node_modules/.bin/node ] && [ "$(node_modules/.bin/node -p process.versions.node 2>/dev/null)" = "$(pinned_node)" ] &&
    [ -d node_modules/pkcs11js ] && node_modules/.bin/node -e 'for (const name of process.argv.slice(1)) require(name)' "${NATIVE[@]}" >/dev/null 2>&1
}

pinned_node() { node -p 'require("./package.json").dependencies.node'; }

# node-gyp downloads headers unless it is told where they lie: with the pinned node, or beside the node that runs us.
export_node_headers() {
  if [ -n "${npm_config_nodedir:-}" ] || [ "$(npm config get nodedir 2>/dev/null)" != undefined ]; then return 0; fi
  local prefix
  for prefix in "$PWD"/node_modules/node/node_modules/node-*/ "$PWD"/node_modules/node-*/ "$(node -p 'path.dirname(path.dirname(fs.realpathSync(process.execPath)))')"; do
    if [ -f "${prefix%/}/include/node/node_api.h" ]; then
      export npm_config_nodedir=${prefix%/}
      return 0
    fi
  done
}

# Install scripts run apart from the download and by name: no other package's script runs, and whatever the npm on this
# machine thinks of install scripts, these run (or fail loudly). The headers for the last step come with the pinned node.
install_npm_packages() {
  if [ "$(cat "$STAMP" 2>/dev/null)" != "$(fingerprint)" ] && ! installed_by_npm; then
    logged 'installing npm packages (npm ci)' npm ci --ignore-scripts --no-audit --no-fund || fail 'npm ci failed'
  fi
  if [ "$(node_modules/.bin/node -p process.versions.node 2>/dev/null)" != "$(pinned_node)" ]; then
    logged "installing Node $(pinned_node) into node_modules" npm rebuild --ignore-scripts=false node || fail 'could not install the pinned node'
  fi
  if ! natives_load; then
    export_node_headers
    logged "building ${NATIVE[*]}" npm rebuild --ignore-scripts=false "${NATIVE[@]}" || fail "could not build ${NATIVE[*]}"
  fi
  if ! natives_load; then
    node_modules/.bin/node -e 'for (const name of process.argv.slice(1)) require(name)' "${NATIVE[@]}" 2>&1 | grep -m 1 Error >&2 || true
    fail "node_modules is not usable: node_modules/.bin/node must be $(pinned_node), and ${NATIVE[*]} must load; delete node_modules and run this again"
  fi
  fingerprint >"$STAMP"
}

# The kernel is compiled here and not kept in the repository. @see packages/kernel/build.ts
readonly KERNEL=packages/kernel
kernel_fingerprint() { cat "$KERNEL"/assembly/*.ts "$KERNEL"/build.ts "$KERNEL"/package.json | cksum; }
compile_kernel() {
  if [ -f "$KERNEL/build/kernel.wasm" ] && [ "$(cat "$KERNEL/build/stamp" 2>/dev/null)" = "$(kernel_fingerprint)" ]; then return 0; fi
  logged 'compiling the kernel (asc)' node_modules/.bin/node "$KERNEL/build.ts" || fail 'the kernel does not compile'
  kernel_fingerprint >"$KERNEL/build/stamp"
}

check_node
if [ "$(cat "$STAMP" 2>/dev/null)" = "$(fingerprint)" ] && natives_load && has_softhsm; then
  compile_kernel
  exit 0
fi
install_system_packages
install_npm_packages
compile_kernel
