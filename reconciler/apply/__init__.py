"""Carries out exactly one merged plan."""
