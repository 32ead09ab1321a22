package main

import (
	"time"

	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	events "k8s.io/api/events/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var kindSteps = []step{
	{"deployments and their scale", deployments},
	{"leases", leases},
	{"events of both groups", recordEvents},
	{"secrets and their bytes", secrets},
	{"tokens and reviews", reviews},
	{"discovery", discover},
}

func deployments(s *session) error {
	all := s.clients.AppsV1().Deployments(s.namespace)
	labels, two := map[string]string{"app": "d"}, int32(2)
	template := core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: labels}, Spec: podOf("").Spec}
	template.Spec.TerminationGracePeriodSeconds = nil
	wanted := &apps.Deployment{ObjectMeta: meta.ObjectMeta{Name: "d"}, Spec: apps.DeploymentSpec{
		Replicas: &two, Selector: &meta.LabelSelector{MatchLabels: labels}, Template: template,
	}}
	made, err := all.Create(s.context, wanted, meta.CreateOptions{})
	if err != nil {
		return err
	}
	if err = expect(made.Spec.Strategy.RollingUpdate.MaxSurge.StrVal == "25%", "strategy is %v", made.Spec.Strategy); err != nil {
		return err
	}
	scale, err := all.GetScale(s.context, "d", meta.GetOptions{})
	if err != nil {
		return err
	}
	scale.Spec.Replicas = 0
	if scale, err = all.UpdateScale(s.context, "d", scale, meta.UpdateOptions{}); err != nil {
		return err
	}
	if err = expect(scale.Spec.Replicas == 0 && scale.Status.Selector == "app=d", "scale is %v", scale); err != nil {
		return err
	}
	foreground := meta.DeletePropagationForeground
	return all.Delete(s.context, "d", meta.DeleteOptions{PropagationPolicy: &foreground})
}

func leases(s *session) error {
	all := s.clients.CoordinationV1().Leases(s.namespace)
	holder, seconds := "me", int32(15)
	now := meta.NewMicroTime(time.Unix(1700000000, 123456000))
	spec := coordination.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now}
	made, err := all.Create(s.context, &coordination.Lease{ObjectMeta: meta.ObjectMeta{Name: "l"}, Spec: spec}, meta.CreateOptions{})
	if err != nil {
		return err
	}
	later := meta.NewMicroTime(now.Add(time.Microsecond))
	made.Spec.RenewTime = &later
	renewed, err := all.Update(s.context, made, meta.UpdateOptions{})
	if err != nil {
		return err
	}
	return expect(renewed.Spec.RenewTime.Equal(&later), "renewed at %v", renewed.Spec.RenewTime)
}

func recordEvents(s *session) error {
	about := core.ObjectReference{Kind: "Pod", Name: "p", Namespace: s.namespace}
	now := meta.Unix(1700000000, 0)
	old := &core.Event{
		ObjectMeta: meta.ObjectMeta{Name: "old"}, InvolvedObject: about, Reason: "Tested", Type: "Normal",
		FirstTimestamp: now, LastTimestamp: now, Count: 3,
	}
	if _, err := s.clients.CoreV1().Events(s.namespace).Create(s.context, old, meta.CreateOptions{}); err != nil {
		return err
	}
	made := &events.Event{
		ObjectMeta: meta.ObjectMeta{Name: "new"}, Regarding: about, Reason: "Tested", Type: "Normal", Action: "Test",
		EventTime: meta.NewMicroTime(now.Time), ReportingController: "c", ReportingInstance: "i",
	}
	if _, err := s.clients.EventsV1().Events(s.namespace).Create(s.context, made, meta.CreateOptions{}); err != nil {
		return err
	}
	seen, err := s.clients.EventsV1().Events(s.namespace).List(s.context, meta.ListOptions{})
	if err != nil {
		return err
	}
	return expect(len(seen.Items) == 2 && seen.Items[1].DeprecatedCount == 3, "events are %v", seen.Items)
}

func secrets(s *session) error {
	all := s.clients.CoreV1().Secrets(s.namespace)
	data := map[string][]byte{"bytes": {0, 255, 10}, "empty": {}}
	wanted := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "s"}, Data: data, StringData: map[string]string{"text": "ü"}}
	made, err := all.Create(s.context, wanted, meta.CreateOptions{})
	if err != nil {
		return err
	}
	empty, isThere := made.Data["empty"]
	return expect(string(made.Data["bytes"]) == "\x00\xff\n" && isThere && len(empty) == 0 && string(made.Data["text"]) == "ü",
		"data is %v", made.Data)
}

func reviews(s *session) error {
	account := &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{Name: "robot"}}
	accounts := s.clients.CoreV1().ServiceAccounts(s.namespace)
	if _, err := accounts.Create(s.context, account, meta.CreateOptions{}); err != nil {
		return err
	}
	token, err := accounts.CreateToken(s.context, "robot", &authentication.TokenRequest{}, meta.CreateOptions{})
	if err != nil {
		return err
	}
	review := &authentication.TokenReview{Spec: authentication.TokenReviewSpec{Token: token.Status.Token}}
	judged, err := s.clients.AuthenticationV1().TokenReviews().Create(s.context, review, meta.CreateOptions{})
	if err != nil {
		return err
	}
	if err = expect(judged.Status.Authenticated, "the token is refused: %v", judged.Status); err != nil {
		return err
	}
	attributes := &authorization.ResourceAttributes{Verb: "get", Resource: "pods", Namespace: s.namespace}
	access := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes}}
	allowed, err := s.clients.AuthorizationV1().SelfSubjectAccessReviews().Create(s.context, access, meta.CreateOptions{})
	if err != nil {
		return err
	}
	return expect(allowed.Status.Allowed, "may not: %v", allowed.Status)
}

// discover goes by the legacy documents, which is what a client that takes nothing but protobuf gets.
func discover(s *session) error {
	groups := &meta.APIGroupList{}
	if err := s.clients.CoreV1().RESTClient().Get().AbsPath("/apis").Do(s.context).Into(groups); err != nil {
		return err
	}
	resources := &meta.APIResourceList{}
	if err := s.clients.CoreV1().RESTClient().Get().AbsPath("/api/v1").Do(s.context).Into(resources); err != nil {
		return err
	}
	return expect(len(groups.Groups) > 10 && len(resources.APIResources) > 20, "%d groups, %d resources",
		len(groups.Groups), len(resources.APIResources))
}
