"""Specifications of the Graph end."""
