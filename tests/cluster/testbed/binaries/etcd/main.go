// etcd, built from its module: 3.6 has the watch progress that the API server's cache asks for.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
