#!/bin/bash
# Makes the fleet's images: Debian 12 by debootstrap, on it docs/image/provision.sh as it is, and on that once more with
# DATA_VOLUME=true. `image.sh CACHE NOMAD` prints the folder of the layers: debian, agents, data. Each is kept under the sum
# of what it was made from; the first time takes apt's archive and some minutes.
set -euo pipefail
mkdir -p "$1"
cache=$(cd "$1" && pwd)
nomad=$2
here=$(cd "$(dirname "$0")" && pwd)
docs=$(cd "$here/../../docs/image" && pwd)
consul=$(command -v consul)
export TMPDIR=/tmp

# Of names and bytes, wherever the tree lies.
sum() {
  local one
  for one in "$@"; do
    (cd "$(dirname "$one")" && find "$(basename "$one")" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
  done | sha256sum | cut -c 1-16
}
finished() { [ -e "$1/made" ]; }

debian=$cache/debian-$(sum "$here/packages" "$here/base")
images=$cache/images-$(sum "$here/image.sh" "$here/packages" "$here/base" "$docs/provision.sh" "$docs/root" "$consul" "$nomad")
if finished "$images"; then
  echo "$images"
  exit
fi

# One certificate for every name that a machine asks: its own authority, which the image's Debian trusts.
if ! [ -e "$cache/fleet.crt" ]; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=fleet -keyout "$cache/fleet.key" -out "$cache/fleet.crt" \
    -addext 'subjectAltName=DNS:releases.hashicorp.com,DNS:www.hashicorp.com,DNS:ssm.eu-west-1.amazonaws.com,DNS:signer.fleet' \
    2> /dev/null
  ssh-keygen -q -t ed25519 -N '' -C host-authority -f "$cache/host-authority"
  ssh-keygen -q -t ed25519 -N '' -C rollout -f "$cache/user"
fi

if ! finished "$debian"; then
  rm -rf "$debian"
  mkdir -p "$debian"
  debootstrap --variant=minbase bookworm "$debian/root" >&2
  printf '#!/bin/sh\nexit 101\n' > "$debian/root/usr/sbin/policy-rc.d"
  chmod 0755 "$debian/root/usr/sbin/policy-rc.d"
  export DEBIAN_FRONTEND=noninteractive
  chroot "$debian/root" apt-get update >&2
  # shellcheck disable=SC2046
  chroot "$debian/root" apt-get install --yes --no-install-recommends $(cat "$here/packages") >&2
  cp -a "$here/base/." "$debian/root/"
  # Addresses are given from outside: nobody answers to DHCP.
  rm "$debian/root/usr/sbin/dhclient"
  # Nothing can be put into /sys, where cloud-init reads that it runs on EC2.
  sed -i 's#/sys/hypervisor/uuid#/etc/hypervisor-uuid#' "$debian/root/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py"
  cp "$cache/fleet.crt" "$debian/root/usr/local/share/ca-certificates/"
  chroot "$debian/root" update-ca-certificates >&2
  touch "$debian/made"
fi

# HashiCorp's releases as the script asks for them, signed by a key of our own: what is on this machine, not what it names.
rm -rf "$images"
releases=$images/releases
mkdir -p "$releases/.well-known" "$images/files"
export GNUPGHOME=$images/gnupg
mkdir -m 0700 "$GNUPGHOME"
trap 'gpgconf --kill all; kill "${server:-}" 2> /dev/null || true' EXIT
gpg --batch --quiet --passphrase '' --quick-generate-key fleet rsa3072 sign never
gpg --armor --export fleet > "$releases/.well-known/pgp-key.txt"
version() { "$1" version | sed -n '1s/^[A-Za-z]* v\([0-9a-z.-]*\).*/\1/p'; }
release() {
  local folder="$releases/$1/$(version "$2")" name="$1_$(version "$2")"
  mkdir -p "$folder"
  cp -L "$2" "$folder/$1"
  (
    cd "$folder"
    python3 -m zipfile -c "${name}_linux_amd64.zip" "$1"
    rm "$1"
    sha256sum "${name}_linux_amd64.zip" > "${name}_SHA256SUMS"
    gpg --batch --quiet --detach-sign "${name}_SHA256SUMS"
  )
}
release consul "$consul"
release nomad "$nomad"
python3 - "$releases" "$cache" 2> /dev/null << 'PYTHON' &
import functools, http.server, ssl, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.HTTPServer(("127.0.0.1", 18443), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2] + "/fleet.crt", sys.argv[2] + "/fleet.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
server=$!
printf 'connect-to = "::127.0.0.1:18443"\n' > "$images/files/.curlrc"

# provision LAYER LOWER DATA_VOLUME
provision() {
  mkdir -p "$images/$1" "$images/$1.work" "$images/root"
  CONSUL_VERSION=$(version "$consul") NOMAD_VERSION=$(version "$nomad") ARCH=amd64 DATA_VOLUME=$3 \
    HASHICORP_KEY=$(gpg --list-keys --with-colons fleet | awk -F: '/^fpr/ { print $10; exit }') \
    AUTHORIZED_KEYS=$(cat "$cache/user.pub") CURL_HOME=/run/files SYSTEMD_OFFLINE=1 \
    HOST_CA='curl --fail --silent --show-error --data-binary @- "https://signer.fleet/$1/$2/$3"' \
    unshare --mount --pid --fork --kill-child sh -eu -c '
      mount -t overlay -o "lowerdir=$3,upperdir=$1/$2,workdir=$1/$2.work" fleet "$1/root"
      cd "$1/root"
      mount -t proc proc proc
      mount --rbind /dev dev
      mount -t tmpfs tmpfs run
      cp -r "$1/files" run/
      cp /etc/resolv.conf run/
      # As after a first boot that nobody has to wait for.
      mkdir -p run/lock run/sshd run/cloud-init run/systemd/system
      touch run/cloud-init/disabled
      chroot . ssh-keygen -A > /dev/null
      mount --bind run/resolv.conf etc/resolv.conf
      cp -r "$4/root" tmp/rollout-root
      cp "$4/provision.sh" tmp/
      chroot . sh /tmp/provision.sh
      rm tmp/provision.sh
    ' provision "$images" "$1" "$2" "$docs" >&2
  rm -rf "$images/$1.work"
}
provision agents "$debian/root" false
provision data "$images/agents:$debian/root" true
rm -rf "$releases" "$GNUPGHOME" "$images/files" "$images/root"
ln -s "$debian/root" "$images/debian"
touch "$images/made"
echo "$images"
