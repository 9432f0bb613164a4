// A stand-in for the hashicorp/null provider, for tests only. See README.md.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
)

func main() {
	options := providerserver.ServeOpts{
		Address:         "registry.terraform.io/hashicorp/null",
		ProtocolVersion: 5,
	}
	if err := providerserver.Serve(context.Background(), newNullProvider, options); err != nil {
		log.Fatal(err)
	}
}
