"""How every component talks to the API server: client, informer, workqueue, event recorder.

Public names: `config.ClientConfig`, `client.ApiClient` and `client.ApiUnavailable`,
`informer.Informer`, `informer_set.InformerSet`, `workqueue.WorkQueue`, `events.EventRecorder`,
`leader_election.LeaderElector`, `clock.Clock`. Knows `control_plane.api`, nothing else of ours.
"""
