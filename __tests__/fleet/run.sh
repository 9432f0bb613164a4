#!/bin/bash
# `npm run test:fleet`: makes the image where it has changed, then runs the fleet's tests in namespaces of their own. With the
# first process of these everything ends that was started or mounted there, however that one ends.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
cache=.cache/fleet
jest=(env NODE_OPTIONS=--experimental-vm-modules node_modules/.bin/jest --config jest.fleet.config.js "$@")

# Where something is missing jest says so, and skips.
missing=''
[ "$(id -u)" = 0 ] || missing="root is needed; "
for program in ip nft unshare nsenter debootstrap losetup consul openssl gpg curl aws jq; do
  command -v "$program" > /dev/null || missing="$missing$program is not on the PATH; "
done
command -v nomad > /dev/null || missing="${missing}nomad is not on the PATH; "
if [ -n "$missing" ]; then
  exec env ROLLOUT_FLEET_MISSING="${missing%; }" "${jest[@]}"
fi

images=$("$here/image.sh" "$cache" "$(command -v nomad)")
# A fleet's machines need some hundred, which root has for the whole computer: two fleets would have too few. Until it is restarted.
watchers=/proc/sys/fs/inotify/max_user_instances
[ "$(cat "$watchers")" -ge 1024 ] || echo 1024 > "$watchers"
# What the kernel keeps of namespaces that have ended is an empty folder each.
finish() {
  kill -KILL "${fleet:-}" 2> /dev/null || true
  wait "${fleet:-}" 2> /dev/null || true
  local groups=/sys/fs/cgroup/unified/fleet
  [ -d /sys/fs/cgroup/unified ] || groups=/sys/fs/cgroup/fleet
  for _ in {1..50}; do
    [ -d "$groups" ] || return 0
    find "$groups" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.2
  done
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
setpriv --pdeathsig KILL unshare --net --mount --pid --fork --mount-proc --kill-child bash -euc '
  trap "exit 130" INT TERM HUP
  mount -t tmpfs -o mode=0755,size=6g fleet /srv
  mkdir -p /run/netns
  mount -t tmpfs tmpfs /run/netns
  ip link set lo up
  ip link add fleet type bridge
  ip address add 10.0.255.254/16 dev fleet
  ip address add 169.254.169.254/32 dev fleet
  ip address add 169.254.169.253/32 dev fleet
  ip link set fleet up
  "$@" &
  wait $!
' fleet env ROLLOUT_FLEET="$images" "${jest[@]}" &
fleet=$!
wait "$fleet"
