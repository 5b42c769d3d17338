"""`state/`: both sides as imported, canonical YAML, with the joins and the manifest."""
