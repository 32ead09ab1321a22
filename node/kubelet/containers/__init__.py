"""From a pod's spec to a ContainerConfig: environment, privileges, limits, files every container
gets.
"""
