"""Specifications of `state/`."""
