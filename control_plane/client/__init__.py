"""How every component talks to the API server: client, informer, workqueue, event recorder."""
