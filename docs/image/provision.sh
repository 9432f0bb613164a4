#!/bin/sh
# Makes the image, as root, on the machine that Packer has started.
set -eu
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
  install -o root -g root -m 0755 "$1" "/usr/local/bin/$1"
}

users() {
  for agent in consul nomad; do
    id "$agent" > /dev/null 2>&1 ||
      useradd --system --user-group --home-dir "/var/lib/$agent" --shell /usr/sbin/nologin "$agent"
    # To be passed through, not read: tasks run as other users.
    install -d -o "$agent" -g "$agent" -m 0711 "/var/lib/$agent"
  done
  id rollout > /dev/null 2>&1 || useradd --create-home --shell /bin/sh rollout
  install -d -o rollout -g rollout -m 0700 /home/rollout/.ssh
  printf '%s\n' "$AUTHORIZED_KEYS" > /home/rollout/.ssh/authorized_keys
  chown rollout:rollout /home/rollout/.ssh/authorized_keys
  chmod 0600 /home/rollout/.ssh/authorized_keys
  ssh-keygen -l -f /home/rollout/.ssh/authorized_keys > /dev/null || fail "rollout_authorized_keys holds no public key"
}

files() {
  chown -R root:root /tmp/rollout-root
  find /tmp/rollout-root -type d -exec chmod 0755 {} +
  find /tmp/rollout-root -type f -exec chmod 0644 {} +
  chmod 0755 /tmp/rollout-root/usr/local/lib/rollout/*
  chmod 0440 /tmp/rollout-root/etc/sudoers.d/rollout
  visudo --check --quiet --file /tmp/rollout-root/etc/sudoers.d/rollout
  cp -a /tmp/rollout-root/. /
  install -d -m 0755 /etc/rollout
  echo '{}' > /etc/consul.d/rollout-servers.json
  # The login's own, and read by rollout-list alone: an agent would run commands that stand in what it reads.
  install -d -o rollout -g rollout -m 0755 /var/lib/rollout
  if [ -n "$HOST_CA" ]; then
    printf '#!/bin/sh\n%s\n' "$HOST_CA" > /usr/local/lib/rollout/sign-host-key
    chmod 0755 /usr/local/lib/rollout/sign-host-key
  fi
  if [ "$DATA_VOLUME" = true ]; then
    install -d -m 0755 /srv/data /etc/systemd/system/nomad.service.d
    # nofail: the machine boots without it. Timeout 0: it is waited for however late it is attached.
    echo 'LABEL=rollout-data /srv/data ext4 nofail,nodev,nosuid,x-systemd.device-timeout=0 0 2' >> /etc/fstab
    # Otherwise a job could write below the mount point, to the system disk, which goes with the machine.
    printf '[Unit]\nRequiresMountsFor=/srv/data\n' > /etc/systemd/system/nomad.service.d/data-volume.conf
    cp /usr/local/share/rollout/data-volume.hcl /etc/nomad.d/data-volume.hcl
    systemctl enable rollout-data-volume.service
  fi
  systemctl daemon-reload
  systemctl enable rollout-boot.service rollout-secrets.service rollout-host-key.service rollout-list.path rollout-servers.path \
    consul.service nomad.service
}

# What would make two machines of this image the same machine.
clean() {
  rm -rf /tmp/rollout-root /var/lib/consul/* /var/lib/nomad/* /var/lib/rollout/*
  rm -f /etc/ssh/ssh_host_* /etc/rollout/machine.env /etc/consul.d/rollout-machine.json /etc/nomad.d/rollout-machine.json
  apt-get clean
  truncate -s 0 /etc/machine-id
  cloud-init clean --logs
}

cd "$(mktemp -d)"
packages
keyring
install_release consul "$CONSUL_VERSION"
install_release nomad "$NOMAD_VERSION"
users
files
/usr/local/lib/rollout/check image
cd /
clean
