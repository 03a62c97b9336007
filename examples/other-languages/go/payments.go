// A service without the SDK: it passes `baggage` on, and calls through the proxy that HTTP_PROXY names.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

// What belongs to the request, and goes with every call that is made for it.
var contextHeaders = []string{"Baggage", "Traceparent", "Tracestate"}

func quote(response http.ResponseWriter, request *http.Request) {
	call, err := http.NewRequestWithContext(request.Context(), http.MethodGet, "http://orders/callback", nil)
	if err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	for _, name := range contextHeaders {
		for _, value := range request.Header.Values(name) {
			call.Header.Add(name, value)
		}
	}
	// The default transport reads HTTP_PROXY by itself.
	answer, err := http.DefaultClient.Do(call)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	response.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(response, answer.Body)
}

func main() {
	http.HandleFunc("/", quote)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
