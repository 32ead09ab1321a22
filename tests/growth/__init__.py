"""Whether a store stays small: a day of updates under kube-apiserver's compaction."""
