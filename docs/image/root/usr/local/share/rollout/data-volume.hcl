client {
  host_volume "data" {
    path = "/srv/data"
  }
}
