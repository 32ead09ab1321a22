package main

import (
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
)

var zero = int64(0)

var verbSteps = []step{
	{"create and get a pod", createPod},
	{"list pods in pieces", listPods},
	{"update a pod and lose a race", updatePod},
	{"patch and apply", patchPod},
	{"watch pods", watchPods},
	{"evict a pod", evictPod},
	{"delete a pod", deletePod},
	{"delete a collection", deleteMany},
}

func podOf(name string) *core.Pod {
	container := core.Container{
		Name: "c", Image: "busybox",
		Env:   []core.EnvVar{{Name: "EMPTY"}, {Name: "A", Value: "b"}},
		Ports: []core.ContainerPort{{ContainerPort: 80}},
		Resources: core.ResourceRequirements{Limits: core.ResourceList{
			"cpu": resource.MustParse("0.5"), "memory": resource.MustParse("64Mi"),
		}},
		LivenessProbe: &core.Probe{ProbeHandler: core.ProbeHandler{
			HTTPGet: &core.HTTPGetAction{Path: "/", Port: intstr.FromInt32(80)},
		}},
	}
	volume := core.Volume{Name: "v", VolumeSource: core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{}}}
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"app": "x"}},
		Spec: core.PodSpec{
			Containers: []core.Container{container}, Volumes: []core.Volume{volume},
			TerminationGracePeriodSeconds: &zero,
		},
	}
}

func createPod(s *session) error {
	pods := s.clients.CoreV1().Pods(s.namespace)
	made, err := pods.Create(s.context, podOf("one"), meta.CreateOptions{})
	if err != nil {
		return err
	}
	got, err := pods.Get(s.context, "one", meta.GetOptions{})
	if err != nil {
		return err
	}
	_, again := pods.Create(s.context, podOf("one"), meta.CreateOptions{})
	_, missing := pods.Get(s.context, "none", meta.GetOptions{})
	_, invalid := pods.Create(s.context, &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "UPPER"}}, meta.CreateOptions{})
	limits := got.Spec.Containers[0].Resources.Limits
	return all(
		expect(equality.Semantic.DeepEqual(made, got), "created %v, got %v", made, got),
		expect(got.UID != "" && !got.CreationTimestamp.IsZero(), "no identity: %v", got.ObjectMeta),
		expect(limits.Cpu().MilliValue() == 500, "limits are %v", limits),
		expect(len(got.Spec.Containers[0].Env) == 2, "environment is %v", got.Spec.Containers[0].Env),
		expect(got.Spec.Volumes[0].EmptyDir != nil, "no directory: %v", got.Spec.Volumes),
		expect(*got.Spec.TerminationGracePeriodSeconds == 0, "waits %v", got.Spec.TerminationGracePeriodSeconds),
		expect(got.Spec.RestartPolicy == core.RestartPolicyAlways, "no defaults: %v", got.Spec),
		expect(apierrors.IsAlreadyExists(again), "a second pod: %v", again),
		expect(apierrors.IsNotFound(missing), "a missing pod: %v", missing),
		expect(apierrors.IsInvalid(invalid), "an invalid pod: %v", invalid),
	)
}

func listPods(s *session) error {
	pods := s.clients.CoreV1().Pods(s.namespace)
	for _, name := range []string{"two", "three"} {
		if _, err := pods.Create(s.context, podOf(name), meta.CreateOptions{}); err != nil {
			return err
		}
	}
	first, err := pods.List(s.context, meta.ListOptions{Limit: 2, LabelSelector: "app=x"})
	if err != nil {
		return err
	}
	rest, err := pods.List(s.context, meta.ListOptions{Limit: 2, LabelSelector: "app=x", Continue: first.Continue})
	if err != nil {
		return err
	}
	return expect(len(first.Items) == 2 && len(rest.Items) == 1 && rest.Items[0].Name == "two",
		"pieces of %d and %d", len(first.Items), len(rest.Items))
}

func updatePod(s *session) error {
	pods := s.clients.CoreV1().Pods(s.namespace)
	pod, err := pods.Get(s.context, "one", meta.GetOptions{})
	if err != nil {
		return err
	}
	stale := pod.DeepCopy()
	pod.Annotations = map[string]string{"note": "ü"}
	updated, err := pods.Update(s.context, pod, meta.UpdateOptions{})
	if err != nil {
		return err
	}
	_, lost := pods.Update(s.context, stale, meta.UpdateOptions{})
	updated.Status.Phase = core.PodRunning
	running, err := pods.UpdateStatus(s.context, updated, meta.UpdateOptions{})
	if err != nil {
		return err
	}
	return all(
		expect(apierrors.IsConflict(lost), "a stale update: %v", lost),
		expect(updated.Annotations["note"] == "ü", "annotations are %v", updated.Annotations),
		expect(running.Status.Phase == core.PodRunning, "phase is %v", running.Status.Phase),
	)
}

func patchPod(s *session) error {
	pods := s.clients.CoreV1().Pods(s.namespace)
	patch := []byte(`{"metadata":{"labels":{"patched":"yes"}}}`)
	patched, err := pods.Patch(s.context, "one", types.StrategicMergePatchType, patch, meta.PatchOptions{})
	if err != nil {
		return err
	}
	wanted := coreapply.ConfigMap("applied", s.namespace).WithData(map[string]string{"a": "1"})
	applied, err := s.clients.CoreV1().ConfigMaps(s.namespace).Apply(s.context, wanted, meta.ApplyOptions{FieldManager: "m"})
	if err != nil {
		return err
	}
	return all(
		expect(patched.Labels["patched"] == "yes", "labels are %v", patched.Labels),
		expect(applied.Data["a"] == "1" && len(applied.ManagedFields) == 1, "applied %v", applied),
	)
}

func watchPods(s *session) error {
	pods := s.clients.CoreV1().Pods(s.namespace)
	list, err := pods.List(s.context, meta.ListOptions{})
	if err != nil {
		return err
	}
	watched, err := pods.Watch(s.context, meta.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return err
	}
	defer watched.Stop()
	if _, err = pods.Create(s.context, podOf("watched"), meta.CreateOptions{}); err != nil {
		return err
	}
	if err = pods.Delete(s.context, "watched", meta.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
		return err
	}
	var kinds []watch.EventType
	for event := range watched.ResultChan() {
		pod, isPod := event.Object.(*core.Pod)
		if err = expect(isPod && pod.Name == "watched", "an event of %v", event.Object); err != nil {
			return err
		}
		if kinds = append(kinds, event.Type); event.Type == watch.Deleted {
			break
		}
	}
	return expect(kinds[0] == watch.Added, "events are %v", kinds)
}

func evictPod(s *session) error {
	pods := s.clients.CoreV1().Pods(s.namespace)
	eviction := &policy.Eviction{
		ObjectMeta:    meta.ObjectMeta{Name: "two", Namespace: s.namespace},
		DeleteOptions: &meta.DeleteOptions{GracePeriodSeconds: &zero},
	}
	if err := pods.EvictV1(s.context, eviction); err != nil {
		return err
	}
	_, gone := pods.Get(s.context, "two", meta.GetOptions{})
	return expect(apierrors.IsNotFound(gone), "an evicted pod: %v", gone)
}

func deletePod(s *session) error {
	pods := s.clients.CoreV1().Pods(s.namespace)
	pod, err := pods.Get(s.context, "one", meta.GetOptions{})
	if err != nil {
		return err
	}
	other := types.UID("another")
	wrong := pods.Delete(s.context, "one", meta.DeleteOptions{Preconditions: &meta.Preconditions{UID: &other}})
	right := pods.Delete(s.context, "one", meta.DeleteOptions{
		GracePeriodSeconds: &zero, Preconditions: &meta.Preconditions{UID: &pod.UID},
	})
	return all(right, expect(apierrors.IsConflict(wrong), "another pod's deletion: %v", wrong))
}

func deleteMany(s *session) error {
	pods := s.clients.CoreV1().Pods(s.namespace)
	err := pods.DeleteCollection(s.context, meta.DeleteOptions{GracePeriodSeconds: &zero}, meta.ListOptions{LabelSelector: "app=x"})
	if err != nil {
		return err
	}
	left, err := pods.List(s.context, meta.ListOptions{})
	if err != nil {
		return err
	}
	return expect(len(left.Items) == 0, "%d pods are left", len(left.Items))
}
