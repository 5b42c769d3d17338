"""GitHub, on loopback."""
