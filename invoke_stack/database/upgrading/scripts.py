"""What is done to the files in volumes: scripts for the small shell of any PostgreSQL image.

They take folders as arguments, never text to evaluate, and need nothing that Alpine lacks. A
volume of ours holds its cluster in the folder `cluster`; the service's own has it anywhere.
"""

from __future__ import annotations

CLUSTER = "cluster"
"""Where a volume of ours has its cluster."""

RECORD = "kept.json"
"""In a volume that keeps an old cluster: what it is. Written last, so it says: complete."""

# $1 is where the image would have its cluster: looked at first.
LOOK = """cd /volume || exit 1
one() {
  if [ -f "$1/PG_VERSION" ] && [ -f "$1/global/pg_control" ]; then
    echo "cluster $(cat "$1/PG_VERSION") $1"
    [ -z "$(ls -A "$1/pg_tblspc" 2>/dev/null)" ] || echo "elsewhere tablespaces"
    [ ! -L "$1/pg_wal" ] || echo "elsewhere pg_wal"
  fi
}
one "$1"
find . -maxdepth 4 -name PG_VERSION -type f | sort | while read -r file; do
  found=$(dirname "$file"); found=${found#./}
  case "/$found/" in "/$1/"|*/.invoke-stack/*) ;; *) one "$found" ;; esac
done
[ ! -d .invoke-stack ] || echo "unfinished"
[ ! -f kept.json ] || echo "kept $(cat kept.json)"
echo "used $(du -sk . | cut -f1)"
echo "room $(df -Pk . | tail -n 1)"
echo "engine $(df -Pk / | tail -n 1)"
"""

# A cluster into an empty volume of ours; $1 is its folder, $2 what the record says.
KEEP = """set -e
cp -a "/from/$1" /to/cluster
sync
diff -rq "/from/$1" /to/cluster
rm -f /to/cluster/postmaster.pid
printf '%s\\n' "$2" >/to/kept.json.new
sync
mv /to/kept.json.new /to/kept.json
sync
"""

# An empty folder for a new cluster, of the user $1 that the service runs as.
PREPARE = """set -e
mkdir /to/cluster
chown "$1" /to/cluster
chmod 700 /to/cluster
"""

# The rules of who may log in come along: a newer image's own may not take the older passwords.
CARRY = """set -e
if [ -f /from/cluster/pg_hba.conf ]; then cat /from/cluster/pg_hba.conf >/to/cluster/pg_hba.conf; fi
rm -f /to/cluster/postmaster.pid
"""

# The cluster of one volume of ours in place of another, in folder $2, of the cluster in $1.
# First a copy beside it, compared. Then only names change: the old one goes into .invoke-stack/old
# (PG_VERSION, without which no server starts, first) and the new one comes out (PG_VERSION last).
# The folders above the new one must let its owner through: the old one's user may be another.
# Renaming .invoke-stack/old is the moment from which the new one counts; until then BACK goes back.
_MOVED = """set -e
work=/to/.invoke-stack
# Everything in a folder into another one; but PG_VERSION, which has its own time.
move() {
  for each in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    case $each in */PG_VERSION|*/.invoke-stack) continue ;; esac
    if [ -e "$each" ] || [ -L "$each" ]; then mv "$each" "$2/"; fi
  done
}
"""

SWAP = f"""{_MOVED}
rm -rf "$work"
mkdir "$work" "$work/new"
printf '%s\\n%s\\n' "$1" "$2" >"$work/plan"
cp -a /from/cluster/. "$work/new/"
sync
diff -rq /from/cluster "$work/new"
mkdir "$work/old"
if [ -e "/to/$1/PG_VERSION" ]; then mv "/to/$1/PG_VERSION" "$work/old/"; fi
if [ -d "/to/$1" ]; then move "/to/$1" "$work/old"; fi
sync
touch "$work/moved"
mkdir -p "/to/$2"
move "$work/new" "/to/$2"
above=$2
while [ "$above" != . ]; do
  above=$(dirname "$above")
  chmod a+x "/to/$above"
done
chown "$(stat -c %u:%g /from/cluster)" "/to/$2"
chmod "$(stat -c %a /from/cluster)" "/to/$2"
mv "$work/new/PG_VERSION" "/to/$2/"
sync
mv "$work/old" "$work/trash"
sync
rm -rf "$work"
if [ "$1" != "$2" ]; then (cd /to && rmdir -p "$1" 2>/dev/null) || true; fi
"""

# Whatever a broken SWAP has left: back to the old cluster, or on where the new one counts.
BACK = f"""{_MOVED}
if [ ! -d "$work" ]; then exit 0; fi
if [ -d "$work/old" ]; then
  {{ read -r old; read -r new; }} <"$work/plan"
  if [ -e "$work/moved" ]; then
    mkdir -p "$work/away" "/to/$new"
    move "/to/$new" "$work/away"
    rm -f "/to/$new/PG_VERSION"
    sync
    rm "$work/moved"
  fi
  mkdir -p "/to/$old"
  if [ -d "$work/old/global" ]; then chown "$(stat -c %u:%g "$work/old/global")" "/to/$old"; fi
  move "$work/old" "/to/$old"
  chmod 700 "/to/$old"
  if [ -e "$work/old/PG_VERSION" ]; then mv "$work/old/PG_VERSION" "/to/$old/"; fi
  sync
fi
rm -rf "$work"
sync
"""
