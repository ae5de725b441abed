// A static HTTP server, with which cold starts in a cluster are compared (bench/cluster-baseline.ts).
package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

var began = time.Now()

func main() {
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		panic(err)
	}
	now := time.Now()
	// as functions log it
	fmt.Printf("{\"time\":%d,\"msg\":\"listening\",\"startMs\":%d}\n", now.UnixMilli(), now.Sub(began).Milliseconds())
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "application/json")
		fmt.Fprint(w, `{"status":"ok"}`)
	})
	panic(http.Serve(listener, nil))
}
