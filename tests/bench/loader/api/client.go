package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const quoted = 300 // bytes of a refusal that are shown

// api is one client: HTTP/1.1, as many connections as there are requests under way, all kept alive.
type api struct {
	url  string
	http *http.Client
}

func newAPI(s *settings, connections int) (*api, error) {
	authority, err := os.ReadFile(s.ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s has no certificate", s.ca)
	}
	own, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, NextProtos: []string{"http/1.1"}},
		MaxConnsPerHost:     connections,
		MaxIdleConnsPerHost: connections,
		DisableCompression:  true,
		ReadBufferSize:      64 << 10,
		IdleConnTimeout:     time.Minute,
	}
	return &api{s.url, &http.Client{Transport: transport}}, nil
}

// do makes a request and reads the answer to its end.
func (a *api) do(ctx context.Context, method, path string, body []byte) error {
	kind := "application/json"
	if method == "PATCH" {
		kind = "application/json-patch+json"
	}
	answer, err := a.open(ctx, method, path, kind, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// open makes a request; an answer that is not a success is an error.
func (a *api) open(ctx context.Context, method, path, kind string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := a.http.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		defer answer.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(answer.Body, quoted))
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, said)
	}
	return answer, nil
}
