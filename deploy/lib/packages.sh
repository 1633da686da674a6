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
    local name installed
    # It fails if one package is unknown, and lists the others.
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null) || true
    for name in "$@"; do
        [[ $'\n'$installed$'\n' == *$'\n'"$name installed"$'\n'* ]] || printf '%s\n' "$name"
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
            'This is for Debian 12. deploy/README.md lists what to install by hand elsewhere.'
    fi
    if [[ $id != 'debian 12' ]]; then
        step "This system says it is $id; made and tested for Debian 12; continuing"
    fi
}

# Debian's PostgreSQL makes a cluster of its own, which would listen on port 5432 from each boot on although nobody uses
# it. This keeps it from doing so.
createcluster_folder=/etc/postgresql-common/createcluster.d
readonly without_cluster='# Written by Learning Review Register: its databases have clusters of their own.
create_main_cluster = false'

# Whether installing these packages would make that cluster. A machine that has the package keeps what it has.
packages_make_cluster() {
    [[ " $*" == *' postgresql'* || " $*" == *' patroni'* ]] && [[ -n $(packages_missing postgresql-common) ]]
}

# Reads what `apt-get install` says and prints how far it is.
apt_progress() {
    local line phase count total=0
    local -A reached=()
    while IFS= read -r line; do
        case $line in
        [0-9]*' upgraded, '*' newly installed, '*)
            [[ $line =~ ^([0-9]+)\ upgraded,\ ([0-9]+)\ newly ]] && total=$((BASH_REMATCH[1] + BASH_REMATCH[2]))
            continue
            ;;
        'Need to get '*)
            printf '   %d packages with what they need; %s\n' "$total" "${line,}"
            continue
            ;;
        'Get:'*) phase=fetched ;;
        'Unpacking '*) phase=unpacked ;;
        'Setting up '*) phase='set up' ;;
        *) continue ;;
        esac
        count=$((${reached[$phase]:-0} + 1))
        reached[$phase]=$count
        if ((count % 20 == 0 || count == total)); then
            printf '   %s %d of %d\n' "$phase" "$count" "$total"
        fi
    done
}

# Runs a command with its output in a log, which `show` reads along; on failure prints the end of the log and ends.
apt_run() {
    local show=$1 log
    shift
    log=$(mktemp "${TMPDIR:-/tmp}/learning-reviews-packages.XXXXXX")
    if ! (umask 022 && "$@" 2>&1) | tee "$log" | "$show"; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail 'apt-get could not install the packages.' 'Its last lines are above.'
    fi
    rm -f "$log"
}

# Reads everything and prints nothing.
keep_silent() {
    cat >/dev/null
}

# Unpacks Debian packages into a folder without installing them: folder, packages. Installed, their daemons would start.
unpack_packages() {
    local folder=$1 download package
    shift
    mkdir -p "$folder"
    download=$(mktemp -d)
    (
        cd "$download" || exit
        apt-get -q -o APT::Sandbox::User=root download "$@" >/dev/null
        for package in ./*.deb; do dpkg-deb -x "$package" "$folder"; done
    )
    rm -rf "$download"
}

# Installs those of the packages named that are missing; with packages_upgrade=yes the newest version of all.
install_packages() {
    local missing advice as_root=() apt=(env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
        apt-get -q -o DPkg::Lock::Timeout=120)
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
        advice="apt-get update && apt-get install --no-install-recommends ${missing[*]}"
        command -v sudo >/dev/null || fail 'Packages are missing and there is no sudo.' \
            "As root: $advice" "Then run ${self:-deploy/run} again."
        as_root=(sudo)
    fi
    if packages_make_cluster "${missing[@]}"; then
        # shellcheck disable=SC2016 # the inner shell expands these
        "${as_root[@]}" sh -c 'umask 022; mkdir -p "$1" && printf "%s\n" "$2" >"$1/learning-reviews.conf"' sh \
            "$createcluster_folder" "$without_cluster"
    fi
    printf '   reading the lists of packages\n'
    apt_run keep_silent "${as_root[@]}" "${apt[@]}" update
    apt_run apt_progress "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}
