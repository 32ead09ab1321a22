"""Objects in the store and in memory: keys, bytes, compare-and-swap, and the watch cache.

Public names: `object_store.ObjectStore`, `watch_cache.WatchCache`, `watcher.Watcher`,
`entry.Entry`, `selection.Selection`, `collection.Collection` (one resource's store and cache).
"""
