package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	configuration "github.com/cert-manager/cert-manager/internal/apis/config/webhook"
	"github.com/cert-manager/cert-manager/internal/webhook"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

const (
	serviceName  = "cert-manager-webhook"
	leafDuration = 7 * 24 * time.Hour
)

// The webhook makes its own CA in a Secret, from which the cainjector tells the API server of it.
func runWebhook(ctx context.Context, kubeconfig, port string) error {
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return fmt.Errorf("port: %w", err)
	}
	config := configuration.WebhookConfiguration{
		SecurePort: int32(number), KubeConfig: kubeconfig, MetricsListenAddress: "0",
	}
	serving := &config.TLSConfig.Dynamic
	serving.SecretNamespace = namespace
	serving.SecretName = serviceName + "-ca"
	serving.LeafDuration = leafDuration
	serving.DNSNames = []string{fmt.Sprintf("%s.%s.svc", serviceName, namespace)}
	server, err := webhook.NewCertManagerWebhookServer(logf.FromContext(ctx), config)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
