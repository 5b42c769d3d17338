"""YAML with positions, checked against a JSON Schema; and `reconcile.yaml` read through it. Pure."""
