package main

import (
	"context"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
)

var cacheSteps = []step{
	{"an informer under churn", informer},
	{"the metadata client", metadataOnly},
}

const churn = 200

// informer changes objects while an informer follows them; its cache must become what is there.
func informer(s *session) error {
	maps := s.clients.CoreV1().ConfigMaps(s.namespace)
	for i := range 20 {
		if err := putMap(s, i, 0); err != nil {
			return err
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(s.clients, 0, informers.WithNamespace(s.namespace))
	followed := factory.Core().V1().ConfigMaps().Informer()
	stop := make(chan struct{})
	defer factory.Shutdown()
	defer close(stop)
	factory.Start(stop)
	if err := expect(cache.WaitForCacheSync(s.context.Done(), followed.HasSynced), "never synced"); err != nil {
		return err
	}
	for i := range churn {
		if err := putMap(s, i%50, i); err != nil {
			return err
		}
		if i%7 == 0 {
			if err := maps.Delete(s.context, fmt.Sprintf("m%d", (i+25)%50), meta.DeleteOptions{}); err != nil && i > 50 {
				return err
			}
		}
	}
	list, err := maps.List(s.context, meta.ListOptions{})
	if err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(s.context, 20*time.Millisecond, 20*time.Second, true,
		func(context.Context) (bool, error) { return sameAs(followed.GetStore(), list.Items), nil })
}

func putMap(s *session, number, value int) error {
	maps := s.clients.CoreV1().ConfigMaps(s.namespace)
	wanted := &core.ConfigMap{
		ObjectMeta: meta.ObjectMeta{Name: fmt.Sprintf("m%d", number), Labels: map[string]string{"churned": "yes"}},
		Data:       map[string]string{"value": fmt.Sprint(value)},
	}
	if _, err := maps.Update(s.context, wanted, meta.UpdateOptions{}); err == nil {
		return nil
	}
	_, err := maps.Create(s.context, wanted, meta.CreateOptions{})
	return err
}

func sameAs(store cache.Store, items []core.ConfigMap) bool {
	if len(store.ListKeys()) != len(items) {
		return false
	}
	for i := range items {
		held, exists, err := store.GetByKey(items[i].Namespace + "/" + items[i].Name)
		if err != nil || !exists || !equality.Semantic.DeepEqual(held, &items[i]) {
			return false
		}
	}
	return true
}

func metadataOnly(s *session) error {
	client, err := metadata.NewForConfig(s.config)
	if err != nil {
		return err
	}
	maps := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(s.namespace)
	one, err := maps.Get(s.context, "applied", meta.GetOptions{})
	if err != nil {
		return err
	}
	many, err := maps.List(s.context, meta.ListOptions{LabelSelector: "churned=yes"})
	if err != nil {
		return err
	}
	watched, err := maps.Watch(s.context, meta.ListOptions{ResourceVersion: many.ResourceVersion})
	if err != nil {
		return err
	}
	defer watched.Stop()
	if err = maps.Delete(s.context, "applied", meta.DeleteOptions{}); err != nil {
		return err
	}
	event := <-watched.ResultChan()
	gone, isMetadata := event.Object.(*meta.PartialObjectMetadata)
	return all(
		expect(one.Name == "applied" && one.UID != "", "metadata is %v", one),
		expect(len(many.Items) > 10 && many.Items[0].Labels["churned"] == "yes", "list is %v", many.Items),
		expect(event.Type == "DELETED" && isMetadata && gone.UID == one.UID, "event is %v", event),
	)
}
