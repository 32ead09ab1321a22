package main

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Kind is a type, its version, and what its status endpoint cannot own besides the spec.
type Kind struct {
	version schema.GroupVersion
	object  runtime.Object
	kept    []fieldpath.Path
}

func (k Kind) hasStatus() bool { return structHas(k.object, "Status") }

var kinds = []Kind{
	{corev1.SchemeGroupVersion, &corev1.ConfigMap{}, nil},
	{corev1.SchemeGroupVersion, &corev1.Endpoints{}, nil},
	{corev1.SchemeGroupVersion, &corev1.LimitRange{}, nil},
	{corev1.SchemeGroupVersion, &corev1.Namespace{}, nil},
	{corev1.SchemeGroupVersion, &corev1.Node{}, nil},
	{corev1.SchemeGroupVersion, &corev1.PersistentVolume{}, nil},
	{corev1.SchemeGroupVersion, &corev1.PersistentVolumeClaim{}, nil},
	{corev1.SchemeGroupVersion, &corev1.Pod{}, []fieldpath.Path{
		fieldpath.MakePathOrDie("metadata", "deletionTimestamp"),
		fieldpath.MakePathOrDie("metadata", "ownerReferences"),
	}},
	{corev1.SchemeGroupVersion, &corev1.ReplicationController{}, nil},
	{corev1.SchemeGroupVersion, &corev1.ResourceQuota{}, nil},
	{corev1.SchemeGroupVersion, &corev1.Secret{}, nil},
	{corev1.SchemeGroupVersion, &corev1.Service{}, nil},
	{corev1.SchemeGroupVersion, &corev1.ServiceAccount{}, nil},
	{appsv1.SchemeGroupVersion, &appsv1.DaemonSet{}, nil},
	{appsv1.SchemeGroupVersion, &appsv1.Deployment{}, []fieldpath.Path{
		fieldpath.MakePathOrDie("metadata", "labels"),
	}},
	{appsv1.SchemeGroupVersion, &appsv1.StatefulSet{}, nil},
	{autoscalingv2.SchemeGroupVersion, &autoscalingv2.HorizontalPodAutoscaler{}, nil},
	{batchv1.SchemeGroupVersion, &batchv1.CronJob{}, nil},
	{batchv1.SchemeGroupVersion, &batchv1.Job{}, nil},
	{discoveryv1.SchemeGroupVersion, &discoveryv1.EndpointSlice{}, nil},
	{networkingv1.SchemeGroupVersion, &networkingv1.Ingress{}, nil},
	{networkingv1.SchemeGroupVersion, &networkingv1.NetworkPolicy{}, nil},
	{policyv1.SchemeGroupVersion, &policyv1.PodDisruptionBudget{}, nil},
	{rbacv1.SchemeGroupVersion, &rbacv1.ClusterRole{}, nil},
	{rbacv1.SchemeGroupVersion, &rbacv1.RoleBinding{}, nil},
	{schedulingv1.SchemeGroupVersion, &schedulingv1.PriorityClass{}, nil},
	{storagev1.SchemeGroupVersion, &storagev1.CSINode{}, nil},
	{storagev1.SchemeGroupVersion, &storagev1.StorageClass{}, nil},
}
