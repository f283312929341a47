# Sourced: what the scripts here need to know of a Debian machine.
# shellcheck shell=bash

# The address is the one that this machine's apt already uses for its own release: no mirror is named here.
mirror() {
  local codename
  # shellcheck disable=SC1091
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
  # shellcheck disable=SC2016  # apt's own placeholders
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -v codename="$codename" '$1 == "Debian" && $2 == codename {print $3; exit}'
}

# install_debootstrap LOG
install_debootstrap() {
  if ! command -v debootstrap >/dev/null || [ -z "$(mirror)" ]; then
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends debootstrap; } >"$1" 2>&1
  fi
}
