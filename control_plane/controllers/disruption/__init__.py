"""The disruption controller: how many pods of each PodDisruptionBudget may go.

controller.py acts; counting.py decides; scales.py finds what controllers want of pods;
stale_target.py takes back what evictions said of pods that stayed.
"""
