#!/bin/bash
# One machine: `machine.sh FOLDER NAME ADDRESS LAYERS` boots systemd on an overlay of these layers, in namespaces of its own, and
# lasts as long as the machine. Its disk is FOLDER/disk, what it prints goes to FOLDER/console.
set -euo pipefail
folder=$1 name=$2 address=$3 layers=$4
control=/sys/fs/cgroup/unified
[ -d "$control" ] || control=/sys/fs/cgroup

if [ "${5:-}" != inside ]; then
  mkdir -p "$folder"/{disk,work,root} "$control/fleet/$name"
  [ -p "$folder/console" ] || mkfifo "$folder/console" || true
  ip netns add "$name"
  link=v${name: -12}
  ip link add "$link" type veth peer name eth0 netns "$name"
  ip link set "$link" master fleet up
  ip -n "$name" link set lo up
  ip -n "$name" address add "$address/16" broadcast + dev eth0
  nsenter --net="/run/netns/$name" nft -f "$folder/firewall"
  ip -n "$name" link set eth0 up
  ip -n "$name" route add default via 10.0.255.254
  echo $$ > "$control/fleet/$name/cgroup.procs"
  exec nsenter --net="/run/netns/$name" unshare --mount --pid --ipc --uts --cgroup --fork --kill-child "$0" "$@" inside
fi

root=$folder/root
mount -t overlay -o "lowerdir=$layers,upperdir=$folder/disk,workdir=$folder/work" "$name" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755,size=64m tmpfs "$root/dev"
mount -t tmpfs -o mode=0755,size=256m tmpfs "$root/run"
mkdir "$root"/dev/{pts,shm,mqueue,net}
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t mqueue mqueue "$root/dev/mqueue"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  IFS=: read -r node major minor <<< "$device"
  mknod -m 0666 "$root/dev/$node" c "$major" "$minor"
done
# Otherwise systemd takes it that nobody will ever tell of devices.
mkdir "$root/run/udev"
touch "$root/run/udev/control" "$root/dev/console"
mount --bind "$folder/console" "$root/dev/console"
for volume in "$folder"/volumes/*; do
  [ -e "$volume" ] && mknod -m 0660 "$root/dev/$(basename "$volume")" b 7 "$(cat "$volume")"
done
cd "$root"
mkdir -p run/outside
pivot_root . run/outside
exec env -i container=fleet PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c 'umount -l /run/outside && rmdir /run/outside && exec /lib/systemd/systemd'
