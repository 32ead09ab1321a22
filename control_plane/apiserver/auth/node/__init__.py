"""What nodes may do: what their pods are related to, and themselves."""
