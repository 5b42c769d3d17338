"""The plan: a pure function of one git tree. No network, no clock, no randomness."""
