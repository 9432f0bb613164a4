# Rolls one group from inside the cluster: nomad job run -var group=web-0 -var image=... rollout.nomad.hcl
variable "group" {
  type        = string
  description = "The group that is rolled, such as web-0."
}

variable "image" {
  type        = string
  description = "A container image with this repository, your cluster.yaml, Terraform and ssh."
}

job "rollout" {
  type        = "batch"
  datacenters = ["*"]

  # Its own machine would be drained under it.
  constraint {
    attribute = "${meta.rollout_group}"
    operator  = "!="
    value     = var.group
  }

  group "rollout" {
    # A roll that was cut off is finished by running it again, wherever that is.
    restart {
      attempts = 0
      mode     = "fail"
    }

    reschedule {
      attempts  = 0
      unlimited = false
    }

    task "deploy" {
      driver = "docker"

      config {
        image   = var.image
        command = "npx"
        args    = ["rollout", "deploy", var.group, "--yes", "--confirm", var.group]
      }

      # Room for a run that is asked to end: it finishes the step at hand.
      kill_timeout = "10m"

      # Secrets come by the environment alone: CONSUL_HTTP_TOKEN, NOMAD_TOKEN, AWS_*.
      template {
        destination = "secrets/rollout.env"
        env         = true
        data        = <<-EOT
          {{ with nomadVar "nomad/jobs/rollout" }}{{ range $name, $value := . }}
          {{ $name }}={{ $value }}
          {{ end }}{{ end }}
        EOT
      }
    }
  }
}
