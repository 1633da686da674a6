# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# The Debian packages that building and running need.

# To build the program.
build_packages=(gcc libc6-dev cmake ninja-build pkg-config libulfius-dev libmicrohttpd-dev libjansson-dev
    libpq-dev libjwt-dev libjose-dev libcurl4-gnutls-dev libssl-dev libpcre2-dev zlib1g-dev
    python3 python3-yaml)
# To run it on a machine of its own.
run_packages=(curl jq ca-certificates)

# To run tests/run.
test_packages=(libcriterion-dev postgresql postgresql-15-plpgsql-check python3-pytest python3-pytest-xdist python3-requests
    python3-jsonschema python3-psycopg2 python3-cryptography curl jq nodejs procps openssl faketime testssl.sh)

# Prints those of the packages named that are not installed.
packages_missing() {
    local name
    for name in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] ||
            printf '%s\n' "$name"
    done
}

require_debian() {
    local id=unknown
    if [[ -r /etc/os-release ]]; then
        # shellcheck disable=SC1091 # the system's own file
        id=$(. /etc/os-release && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}")
    fi
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        fail "This is not Debian: there is no dpkg or no apt-get (it says it is $id)." \
            'This is for Debian 12. README.md tells what to install by hand elsewhere.'
    fi
    if [[ $id != 'debian 12' ]]; then
        step "This system says it is $id; made and tested for Debian 12, going on"
    fi
}

# Installs those of the packages named that are missing; with packages_upgrade=yes the newest version of all.
install_packages() {
    local missing apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
    mapfile -t missing < <(packages_missing "$@")
    if [[ ${packages_upgrade:-no} == yes ]]; then
        missing=("$@")
    fi
    if ((${#missing[@]} == 0)); then
        step 'Packages: all there'
        return
    fi
    step "Installing ${#missing[@]} packages: ${missing[*]}"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail 'Packages are missing and there is no sudo.' \
            "As root: apt-get install --no-install-recommends ${missing[*]}" "Then run ${self:-deploy/run} again."
        apt=(sudo "${apt[@]}")
    fi
    (umask 022 && "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}") \
        >"${TMPDIR:-/tmp}/learning-reviews-packages.$$" 2>&1 || {
        tail -n 20 "${TMPDIR:-/tmp}/learning-reviews-packages.$$" >&2
        rm -f "${TMPDIR:-/tmp}/learning-reviews-packages.$$"
        fail 'apt-get could not install the packages.' 'Its last lines are above.'
    }
    rm -f "${TMPDIR:-/tmp}/learning-reviews-packages.$$"
}
