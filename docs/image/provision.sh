#!/bin/sh
# Makes the image, as root, on the machine that Packer has started. What an earlier run has made is made anew.
set -eu
root=${ROLLOUT_ROOT:-}
from=$root/tmp/rollout-root
export DEBIAN_FRONTEND=noninteractive

fail() { echo "provision: $*" >&2; exit 1; }

packages() {
  # The first boot of the machine may still hold apt's lock.
  cloud-init status --wait > /dev/null || true
  apt-get update
  apt-get install --yes --no-install-recommends \
    amazon-ec2-utils awscli ca-certificates curl e2fsprogs gnupg gpgv openssh-server sudo unzip
}

get() { curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 5 --output "$2" "$1"; }

# The key is taken from the web, its fingerprint from the one who builds.
keyring() {
  GNUPGHOME=$(mktemp -d)
  export GNUPGHOME
  get https://www.hashicorp.com/.well-known/pgp-key.txt hashicorp.asc
  gpg --batch --quiet --import hashicorp.asc
  gpg --batch --quiet --export "$HASHICORP_KEY" > hashicorp.gpg
  [ -s hashicorp.gpg ] || fail "the downloaded key is not $HASHICORP_KEY; compare with https://www.hashicorp.com/security"
}

# The signature says that the sums are HashiCorp's, the sum that the archive is the one that they mean.
install_release() {
  archive=$1_$2_linux_$ARCH.zip
  base=https://releases.hashicorp.com/$1/$2
  get "$base/$archive" "$archive"
  get "$base/$1_$2_SHA256SUMS" sums
  get "$base/$1_$2_SHA256SUMS.sig" sums.sig
  gpgv --quiet --keyring ./hashicorp.gpg sums.sig sums || fail "$1 $2: the signature of its sums is not good"
  grep "  $archive\$" sums > sum || fail "$1 $2: its sums do not name $archive"
  sha256sum --check --strict --quiet sum || fail "$1 $2: $archive is not what its sum says"
  unzip -q -o "$archive" "$1"
  install -o root -g root -m 0755 "$1" "$root/usr/local/bin/$1"
}

users() {
  for agent in consul nomad; do
    id "$agent" > /dev/null 2>&1 ||
      useradd --system --user-group --home-dir "/var/lib/$agent" --shell /usr/sbin/nologin "$agent"
    # To be passed through, not read: tasks run as other users.
    install -d -o "$agent" -g "$agent" -m 0711 "$root/var/lib/$agent"
  done
  id rollout > /dev/null 2>&1 || useradd --create-home --shell /bin/sh rollout
  install -d -o rollout -g rollout -m 0700 "$root/home/rollout/.ssh"
  keys=$root/home/rollout/.ssh/authorized_keys
  printf '%s\n' "$AUTHORIZED_KEYS" > "$keys"
  chown rollout:rollout "$keys"
  chmod 0600 "$keys"
  ssh-keygen -l -f "$keys" > /dev/null || fail "rollout_authorized_keys holds no public key"
}

files() {
  [ -d "$from" ] || fail "no $from; what is in docs/image/root is to be copied there first"
  chown -R root:root "$from"
  find "$from" -type d -exec chmod 0755 {} +
  find "$from" -type f -exec chmod 0644 {} +
  chmod 0755 "$from"/usr/local/lib/rollout/*
  chmod 0440 "$from/etc/sudoers.d/rollout"
  visudo --check --quiet --file "$from/etc/sudoers.d/rollout"
  # Where the login could write once: no file of its making stays, and none of its links is followed.
  if [ -d "$root/etc/consul.d" ]; then
    chmod 0755 "$root/etc/consul.d"
    find "$root/etc/consul.d" -user rollout -delete
  fi
  cp -a "$from/." "$root/"
  install -d -m 0755 "$root/etc/rollout"
  echo '{}' > "$root/etc/consul.d/rollout-servers.json"
  # The login's own, and read by rollout-list alone: an agent would run commands that stand in what it reads.
  install -d -o rollout -g rollout -m 0755 "$root/var/lib/rollout"
  sign=$root/usr/local/lib/rollout/sign-host-key
  if [ -n "$HOST_CA" ]; then
    printf '#!/bin/sh\n%s\n' "$HOST_CA" > "$sign"
    chmod 0755 "$sign"
  else
    rm -f "$sign"
  fi
  if [ "$DATA_VOLUME" = true ]; then
    install -d -m 0755 "$root/srv/data" "$root/etc/systemd/system/nomad.service.d"
    # nofail: the machine boots without it. Timeout 0: it is waited for however late it is attached.
    mount='LABEL=rollout-data /srv/data ext4 nofail,nodev,nosuid,x-systemd.device-timeout=0 0 2'
    grep -qxF "$mount" "$root/etc/fstab" || echo "$mount" >> "$root/etc/fstab"
    # Otherwise a job could write below the mount point, to the system disk, which goes with the machine.
    printf '[Unit]\nRequiresMountsFor=/srv/data\n' > "$root/etc/systemd/system/nomad.service.d/data-volume.conf"
    cp "$root/usr/local/share/rollout/data-volume.hcl" "$root/etc/nomad.d/data-volume.hcl"
    systemctl enable rollout-data-volume.service
  fi
  # sshd checks its configuration only where it has a key.
  ssh-keygen -A > /dev/null
  systemctl daemon-reload
  # Again: an earlier image may have had them started by others.
  systemctl reenable rollout-boot.service rollout-secrets.service rollout-host-key.service rollout-list.path \
    rollout-servers.path consul.service nomad.service
}

# What would make two machines of this image the same machine. systemd takes D-Bus's id where its own is empty.
clean() {
  rm -rf "$from" "$root"/var/lib/consul/* "$root"/var/lib/nomad/* "$root"/var/lib/rollout/*
  rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/rollout/machine.env" "$root/var/lib/dbus/machine-id" \
    "$root/etc/consul.d/rollout-machine.json" "$root/etc/nomad.d/rollout-machine.json"
  apt-get clean
  truncate -s 0 "$root/etc/machine-id"
  cloud-init clean --logs
}

cd "$(mktemp -d)"
packages
keyring
install_release consul "$CONSUL_VERSION"
install_release nomad "$NOMAD_VERSION"
users
files
"$root/usr/local/lib/rollout/check" image
cd /
clean
