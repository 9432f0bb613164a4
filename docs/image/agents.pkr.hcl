# One image for every machine of the cluster; what a machine is, it learns at boot. See ../image.md.
#
#   packer init . && packer build -var consul_version=1.21.4 -var nomad_version=1.10.4 \
#     -var region=eu-west-1 -var rollout_authorized_keys="$(cat rollout.pub)" .
#   npx rollout set image --packer packer-manifest.json broker-0

packer {
  required_version = ">= 1.9.0"
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "~> 1.3"
    }
  }
}

variable "region" {
  type = string
}

variable "consul_version" {
  type = string
}

variable "nomad_version" {
  type = string
}

variable "arch" {
  type    = string
  default = "amd64"
  validation {
    condition     = contains(["amd64", "arm64"], var.arch)
    error_message = "The arch is amd64 or arm64."
  }
}

variable "instance_type" {
  type        = string
  default     = "t3.small"
  description = "Of the machine that builds. For arm64 choose one of Graviton's, such as t4g.small."
}

variable "rollout_authorized_keys" {
  type        = string
  description = "Public ssh keys of those who roll, as in authorized_keys. Not a secret."
}

variable "host_ca" {
  type        = string
  default     = ""
  description = "Nothing, or a command that signs the host's key at first boot; see ../image.md, Host keys."
}

variable "data_volume" {
  type        = bool
  default     = false
  description = "True for images of pools with dataVolumes: their Nomad starts once the volume is mounted at /srv/data."
}

variable "hashicorp_key" {
  type        = string
  default     = "C874011F0AB405110D02105534365D9472D7468F"
  description = "Fingerprint of the key that signs HashiCorp's releases; compare it with https://www.hashicorp.com/security."
}

locals {
  stamp = formatdate("YYYYMMDD-hhmmss", timestamp())
}

source "amazon-ebs" "agents" {
  region        = var.region
  instance_type = var.instance_type
  ami_name      = "rollout-agents-${var.arch}-${local.stamp}"
  ssh_username  = "admin"
  encrypt_boot  = true
  # Machines that are started from it accept IMDSv2 only, whoever starts them.
  imds_support = "v2.0"

  source_ami_filter {
    owners      = ["136693071363"] # Debian's
    most_recent = true
    filters = {
      name                = "debian-12-${var.arch}-*"
      virtualization-type = "hvm"
      root-device-type    = "ebs"
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  tags = {
    Name   = "rollout-agents-${local.stamp}"
    consul = var.consul_version
    nomad  = var.nomad_version
  }
}

build {
  sources = ["source.amazon-ebs.agents"]

  provisioner "shell" {
    inline = ["mkdir -p /tmp/rollout-root"]
  }

  # With a slash at its end: what is in it, not the folder.
  provisioner "file" {
    source      = "${path.root}/root/"
    destination = "/tmp/rollout-root"
  }

  provisioner "shell" {
    script          = "${path.root}/provision.sh"
    execute_command = "sudo env {{ .Vars }} sh {{ .Path }}"
    environment_vars = [
      "CONSUL_VERSION=${var.consul_version}",
      "NOMAD_VERSION=${var.nomad_version}",
      "ARCH=${var.arch}",
      "HASHICORP_KEY=${var.hashicorp_key}",
      "AUTHORIZED_KEYS=${var.rollout_authorized_keys}",
      "HOST_CA=${var.host_ca}",
      "DATA_VOLUME=${var.data_volume}",
    ]
  }

  post-processor "manifest" {
    output     = "packer-manifest.json"
    strip_path = true
  }
}
